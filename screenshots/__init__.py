"""Pictures of the cockpit, and the program that makes them."""

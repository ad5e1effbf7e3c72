"""Why something waits: the calls that the engine in `model/why` needs, and what the user's ID means."""

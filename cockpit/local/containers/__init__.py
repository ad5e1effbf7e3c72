"""The services of an SDL as containers on this machine, on a network of their own: try before you pay."""

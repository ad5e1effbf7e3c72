"""A simulated Akash: the Console in two dialects, providers with their gateways, and a virtual clock."""

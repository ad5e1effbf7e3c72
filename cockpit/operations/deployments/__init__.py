"""Deployments on Akash: what one would cost, its bids and lease, what is on disk about it, and its end."""

"""Connecting to clusters, contexts, trust, diagnosis."""

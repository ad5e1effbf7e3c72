"""Akash: the Console's API, and the gateways of providers."""

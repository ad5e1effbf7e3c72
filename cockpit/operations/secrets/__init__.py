"""Secrets and the SDLs and contexts that refer to them."""

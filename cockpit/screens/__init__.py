"""Arrangements of panes, and the dialogs in front of them."""

"""What can be looked at: one file a pane, and the registry of them."""

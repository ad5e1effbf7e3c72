"""From model to text: pure functions."""

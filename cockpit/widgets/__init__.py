"""What is drawn on the screen: widgets that know Textual and nothing of Ray."""

"""What leans on Textual's privates, a patch a file; `tests/ui/test_textual_patches.py` says when each can go."""

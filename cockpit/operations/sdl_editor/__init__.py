"""An SDL open for editing: file, draft, history, form, checks."""

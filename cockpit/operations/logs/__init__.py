"""Log files of jobs and nodes, listed, saved and archived."""

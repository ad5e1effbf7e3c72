"""What the Overview shows, made in the thread of the history from what panes ask for anyway."""

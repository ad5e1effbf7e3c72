"""Looking into processes of a cluster: stacks, profiles, timelines."""

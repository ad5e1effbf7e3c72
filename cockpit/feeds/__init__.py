"""All timing: following, polling, waiting."""

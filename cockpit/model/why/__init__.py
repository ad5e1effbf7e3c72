"""Why something waits: a pure computation over what Ray's dashboard tells."""

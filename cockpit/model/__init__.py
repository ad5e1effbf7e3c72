"""Facts about a cluster: frozen structs, no I/O."""

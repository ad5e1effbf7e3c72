"""The parts of a log view: where lines begin, and what one line looks like."""

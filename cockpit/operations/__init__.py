"""What both faces do; no printing, no widgets."""

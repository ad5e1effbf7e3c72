"""The parts of a live table: rows, filter, order, columns and their drawing."""

"""Linear fits on training faces, in closed form."""

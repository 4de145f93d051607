"""Small linear fits on training faces, solved at once rather than trained."""

"""What to look for in a GPU, told from the catalogue."""

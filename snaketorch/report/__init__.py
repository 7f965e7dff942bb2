"""What a study found: the summary of each experiment over its seeds, and one page that shows them all."""

"""What went wrong, in a word, and what to do about it. Light: nothing heavy is imported here."""

"""From files to pixels, several at once, within bounded memory."""

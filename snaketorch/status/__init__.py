"""What is going on in a study, and what would run next. Light: no torch is imported here."""

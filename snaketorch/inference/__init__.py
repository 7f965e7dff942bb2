"""A trained model used on raw data: what travels with it, what it reads, what it says."""

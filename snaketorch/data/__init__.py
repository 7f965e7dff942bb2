"""Samples: where they come from, how they are split, prepared and read."""

"""Sweeps: which hyperparameters are tried, and what came of each."""

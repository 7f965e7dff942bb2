"""Predictions of many rows: read in parts, predicted, kept part by part, published as one file."""

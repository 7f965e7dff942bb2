"""Batches of a prepared dataset: whole batches by index, from wherever the samples lie."""

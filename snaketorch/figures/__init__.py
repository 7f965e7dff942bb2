"""Figures: one house style, and drawings that need arrays and Matplotlib but no torch."""

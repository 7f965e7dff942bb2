"""Rows for a trained model, from files and datasets: a part of bounded size at a time, each row with its place."""

"""Many small trials in one process: networks of one shape side by side, trained by the same operations."""

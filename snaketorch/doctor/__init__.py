"""What of a machine, a folder or a cluster stands in the way of a study. Light: torch is asked in other processes."""

"""What an experiment needs of a machine, told before it runs."""

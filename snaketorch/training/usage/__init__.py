"""What a training takes of its machine, measured while it runs: memory, time, power."""

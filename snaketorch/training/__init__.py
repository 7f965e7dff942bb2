"""Training with Lightning: the trainer, its callbacks, checkpoints, and what is published."""

"""Checkpoints that a kill cannot spoil, and that a training goes on from exactly."""

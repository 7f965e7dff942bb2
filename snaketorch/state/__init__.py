"""The live state of trainings: locks, attempts, checkpoints, progress. Light: no torch is imported here."""

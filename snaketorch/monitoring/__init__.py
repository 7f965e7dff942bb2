"""New data beside the data that a model was trained and tested on: what changed, and whether chance explains it."""

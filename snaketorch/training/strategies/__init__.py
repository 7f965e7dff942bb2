"""How several processes train one network: a strategy a file, each known by its name in `trainer.strategy`."""

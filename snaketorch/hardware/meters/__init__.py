"""How busy GPUs are and how much power they take, as their vendors' tools tell it."""

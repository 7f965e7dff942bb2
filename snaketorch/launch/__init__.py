"""How the processes of a training are started, and which of them this one is; nothing of it imports torch."""

"""One picture of a prepared dataset, to see at a glance whether it is what was meant; one module a kind of content."""

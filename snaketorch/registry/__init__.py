"""The model registry: gates, registered models, their aliases, and an audit of every move."""

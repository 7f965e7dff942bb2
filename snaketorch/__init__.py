"""Snaketorch: a YAML experiment becomes data, trained models, metrics and a report."""

__version__ = "0.1.0"

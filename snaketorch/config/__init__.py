"""The configuration: strict, typed, resolved once. Imports pydantic and PyYAML, nothing heavier."""

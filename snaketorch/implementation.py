"""From the name of an implementation, as a configuration section gives it, to the object itself."""

from importlib import import_module
from typing import Any


def resolve(implementation: str) -> Any:
    """What ``"module:attribute"`` names.

    Sections of the configuration name their implementation as text, so that reading a study never
    imports torch; the step that needs the object resolves it.
    """
    module, _, attribute = implementation.partition(":")
    return getattr(import_module(module), attribute)

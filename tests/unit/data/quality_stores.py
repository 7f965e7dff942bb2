"""Stores for the tests of quality checks."""

import numpy as np

from snaketorch.data.store import Store

CLASSES = ("cat", "dog")


def make_store(folder, **fields) -> tuple[Store, dict[str, list[str]]]:
    """A store of ``field={split: array}``, and names for its samples: `a0`, `a1`, ... of the first field."""
    folder.mkdir(exist_ok=True)
    store = Store(folder, "arrays")
    for field, splits in fields.items():
        for split, array in splits.items():
            store.write(split, field, np.asarray(array))
    counted = fields.get("label") or fields.get("target") or next(iter(fields.values()))
    return store, {split: [f"{split[0]}{row}" for row in range(len(array))] for split, array in counted.items()}


def checks(findings) -> dict:
    return {finding.check: finding for finding in findings}

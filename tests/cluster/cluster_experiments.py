"""What the studies of these tests train: as little as shows what is to be shown."""

from typing import Any

DISTURBED = {"cancelled": "cpu", "node_died": "frail", "out_of_time": "cpu", "preempted": "spare"}
"""Experiments that are named for what happens to them, and the partition that they train in."""

PAIRS = {
    "one_node": {"devices": 2},
    "two_nodes": {"num_nodes": 2, "gpus": 1},
    "rank_killed": {"num_nodes": 2},
}
"""Experiments in which two processes train together: how they are placed."""

DIGITS = {"source": {"kind": "sklearn", "name": "digits"}, "resources": {"cpus": 2, "memory_gb": 1.5, "hours": 0.5}}

THREE_TASKS: dict[str, dict[str, Any]] = {
    "datasets/digits.yaml": DIGITS,
    "datasets/sunspots.yaml": {
        "source": {"kind": "statsmodels", "name": "sunspots", "columns": ["SUNACTIVITY"]},
        "resources": {"cpus": 1, "memory_gb": 1, "hours": 0.25},
    },
    "experiments/digits.yaml": {
        "task": "image_classification",
        "data": "digits",
        "model": {"kind": "cnn", "channels": [4]},
        "optimizer": {"kind": "adamw", "lr": 0.01},
        "trainer": {"max_epochs": 2},
        "seeds": [0],
        "resources": {"gpus": 1, "cpus": 3, "memory_gb": 1.5, "hours": 0.2},
    },
    "experiments/sunspots.yaml": {
        "task": {"kind": "forecasting", "window": 11, "horizon": 1},
        "data": "sunspots",
        "model": {"kind": "gru", "hidden": 4},
        "optimizer": {"kind": "adamw", "lr": 0.01},
        "trainer": {"max_epochs": 2},
        "seeds": [0],
        "resources": {"cpus": 2, "memory_gb": 1, "hours": 0.1},
    },
    "experiments/drawn.yaml": {
        "task": "gan",
        "data": "digits",
        "model": {"kind": "gan", "latent": 8, "hidden": [16]},
        "optimizer": {"kind": "adam", "lr": 0.001},
        "trainer": {"max_epochs": 2, "check_val_every_n_epoch": 2},
        "seeds": [0],
        "resources": {"cpus": 2, "memory_gb": 2, "hours": 0.3},
    },
}


def braked(name: str, hours: float = 0.2) -> dict[str, Any]:
    """A training of a few seconds, and of minutes while the file ``brake_NAME`` is there."""
    return {
        "task": "image_classification",
        "data": "digits",
        "model": {"kind": "custom", "class_path": "braked.Braked", "init_args": {"brake": f"brake_{name}"}},
        "optimizer": {"kind": "adamw", "lr": 0.01},
        "trainer": {"max_epochs": 30, "precision": "32-true"},
        "data_loader": {"batch_size": 256},
        "seeds": [0],
        "resources": {"cpus": 1, "memory_gb": 1, "hours": hours},
    }


def pair(name: str, devices: int = 1, num_nodes: int = 1, gpus: int = 0) -> dict[str, Any]:
    """A training as ``braked``, by two processes together."""
    training = braked(name)
    training["trainer"] |= {"max_epochs": 6, "devices": devices, "num_nodes": num_nodes}
    training["data_loader"] = {"batch_size": 128}
    training["resources"] |= {"cpus": devices, "gpus": gpus}
    return training


SWEPT: dict[str, Any] = {
    "task": "image_classification",
    "data": "digits",
    "model": {"kind": "mlp", "hidden": [8]},
    "optimizer": {"kind": "sgd", "lr": 0.1},
    "trainer": {"max_epochs": 80},
    "seeds": [0],
    "resources": {"cpus": 1, "memory_gb": 1, "hours": 0.2},
    "tune": {
        "num_samples": 4,
        "num_nodes": 2,
        "search_alg": {"kind": "random"},
        "scheduler": {"kind": "fifo"},
        "vectorise": False,
        "baseline": False,
        "space": {"optimizer.lr": {"loguniform": [0.01, 0.5]}},
        "resources": {"cpus": 1, "memory_gb": 1.5, "hours": 0.2},
    },
}
"""A sweep over two nodes, on each of which one trial runs at a time; one takes longer than a process needs to start."""

"""The commands of ``python -m snaketorch``: a module each, whose name and function are the command's.

A module says with ``add`` what its command is told, and its function makes one call. All modules are loaded for every
command, so nothing heavy is imported outside a function.
"""

MODULES = [
    "prepare",
    "preview_augmentation",
    "plan_experiment",
    "train",
    "tune",
    "evaluate",
    "summarise",
    "bundle",
    "predict_dataset",
    "monitor_dataset",
    "register",
    "settle",
    "report",
    "init_tracking",
    "status",
    "explain",
    "doctor",
    "start_over",
    "tune_plan",
    "gpus",
    "plan",
    "benchmark_device",
    "predict",
    "monitor",
    "models",
    "promote",
    "rollback",
    "sync",
]
"""In the order of ``--help``."""

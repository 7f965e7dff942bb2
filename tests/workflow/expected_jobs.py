"""What the contract says of the small study, written down by hand."""

SEEDS = {"cnn": [0, 1], "cnn_wide": [0], "gru": [0], "gru_slow": [0], "lstm": [0], "gan": [0]}
DATA = {
    "cnn": "digits",
    "cnn_wide": "digits",
    "gru": "sunspots",
    "gru_slow": "sunspots",
    "lstm": "thumbnails",
    "gan": "digits",
}

REPORT = {"report_study"}


def from_summarise(*experiments: str) -> set[str]:
    return {f"summarise_experiment {name}" for name in experiments} | REPORT


def from_evaluate(*experiments: str) -> set[str]:
    runs = {f"evaluate_model {name} {seed}" for name in experiments for seed in SEEDS[name]}
    return runs | from_summarise(*experiments)


def from_train(*experiments: str) -> set[str]:
    runs = {f"train_model {name} {seed}" for name in experiments for seed in SEEDS[name]}
    return runs | from_evaluate(*experiments)


def from_prepare(*datasets: str) -> set[str]:
    readers = [name for name, data in DATA.items() if data in datasets]
    return {f"prepare_dataset {name}" for name in datasets} | from_train(*readers)


ALL = {"init_tracking"} | from_prepare(*DATA.values())

"""Where things lie, relative to the working directory."""

from pathlib import Path

DATASET = "results/datasets/{dataset}"
MANIFEST = f"{DATASET}/manifest.json"
PREVIEW = f"{DATASET}/preview.png"
ARRAYS = f"{DATASET}/arrays"

EXPERIMENT = "results/experiments/{experiment}"
CONFIG = f"{EXPERIMENT}/config.yaml"
SUMMARY = f"{EXPERIMENT}/summary.json"
PLAN = f"{EXPERIMENT}/plan.json"
AUGMENTATION = f"{EXPERIMENT}/augmentation.png"
REGISTRATION = f"{EXPERIMENT}/registration.json"
SETTLEMENT = f"{EXPERIMENT}/settlement.json"

RUN = f"{EXPERIMENT}/seed-{{seed}}"
MODEL = f"{RUN}/model.ckpt"
HISTORY = f"{RUN}/history.csv"
RECORD = f"{RUN}/record.json"
METRICS = f"{RUN}/metrics.json"
PREDICTIONS = f"{RUN}/predictions.parquet"
FIGURES = f"{RUN}/figures"
SAMPLES = f"{RUN}/samples"

TUNE = f"{EXPERIMENT}/tune"
BEST = f"{TUNE}/best.yaml"
TRIALS = f"{TUNE}/trials.csv"
CURVES = f"{TUNE}/curves.csv"
SWEEP = f"{TUNE}/sweep.json"
TUNE_FIGURES = f"{TUNE}/figures"

BUNDLE = f"{EXPERIMENT}/bundle"
PREDICTED = f"{EXPERIMENT}/predictions/{{dataset}}.parquet"
PREDICTED_BAD = f"{EXPERIMENT}/predictions/{{dataset}}.bad.jsonl"
PREDICTED_RECORD = f"{EXPERIMENT}/predictions/{{dataset}}.json"

MONITORED = f"{EXPERIMENT}/monitor/{{dataset}}"
MONITOR = f"{MONITORED}/monitor.json"
MONITOR_PAGE = f"{MONITORED}/page.html"
ALERT = f"{MONITORED}/alert.json"

REPORT = "results/report.html"
TRACKING = "results/tracking.json"
AUDIT = "results/audit.jsonl"

TRAIN_STATES = "state/train"
TRAIN_STATE = f"{TRAIN_STATES}/{{experiment}}/seed-{{seed}}"
TUNE_STATE = "state/tune/{experiment}"
PREDICT_STATES = "state/predict"
PREDICT_STATE = f"{PREDICT_STATES}/{{experiment}}/{{dataset}}"

ALL = (
    TRACKING,
    MANIFEST,
    PREVIEW,
    ARRAYS,
    MODEL,
    HISTORY,
    RECORD,
    SAMPLES,
    METRICS,
    PREDICTIONS,
    FIGURES,
    CONFIG,
    SUMMARY,
    REPORT,
)
"""Every output of every stage: were one left out, a failed job could leave an old file that looks current."""

OF_A_SWEEP = (BEST, TRIALS, CURVES, SWEEP, TUNE_FIGURES)
"""Every output of a sweep, of the experiments that have one."""

OF_A_PREDICTION = (PREDICTED, PREDICTED_BAD, PREDICTED_RECORD)
"""Every output of the predictions of a dataset."""

OF_A_MONITORING = (MONITOR, MONITOR_PAGE, ALERT)
"""Every output of the comparison of a dataset with the training data."""


def has_record(state: Path) -> bool:
    """Whether the outputs of the training whose states are in this folder are there."""
    name = state.relative_to(TRAIN_STATES)
    return Path(RECORD.format(experiment=name.parent, seed=name.name.removeprefix("seed-"))).exists()

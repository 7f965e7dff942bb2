"""Where things lie, relative to the working directory."""

DATASET = "results/datasets/{dataset}"
MANIFEST = f"{DATASET}/manifest.json"
PREVIEW = f"{DATASET}/preview.png"
ARRAYS = f"{DATASET}/arrays"

EXPERIMENT = "results/experiments/{experiment}"
CONFIG = f"{EXPERIMENT}/config.yaml"
SUMMARY = f"{EXPERIMENT}/summary.json"
AUGMENTATION = f"{EXPERIMENT}/augmentation.png"

RUN = f"{EXPERIMENT}/seed-{{seed}}"
MODEL = f"{RUN}/model.ckpt"
HISTORY = f"{RUN}/history.csv"
RECORD = f"{RUN}/record.json"
METRICS = f"{RUN}/metrics.json"
PREDICTIONS = f"{RUN}/predictions.parquet"
FIGURES = f"{RUN}/figures"
SAMPLES = f"{RUN}/samples"

REPORT = "results/report.html"
TRACKING = "results/tracking.json"

TRAIN_STATES = "state/train"
TRAIN_STATE = f"{TRAIN_STATES}/{{experiment}}/seed-{{seed}}"

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

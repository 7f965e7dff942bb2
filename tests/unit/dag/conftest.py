from textwrap import dedent
from types import SimpleNamespace

import pytest

from snaketorch.config.load import load_study
from snaketorch.dag.workflow import Workflow

FILES = {
    "config.yaml": "study: small\nreport: {title: A small study}\n",
    "datasets/digits.yaml": "source: {kind: sklearn, name: digits}\n",
    "datasets/sunspots.yaml": "source: {kind: statsmodels, name: sunspots}\n",
    "datasets/unused.yaml": "source: {kind: statsmodels, name: nile}\n",
    "experiments/cnn.yaml": """
        task: image_classification
        data: digits
        model: {kind: cnn}
        optimizer: {kind: adamw}
        trainer: {max_epochs: 4}
        seeds: [3, 5]
        resources: {gpus: 1, cpus: 2, memory_gb: 1.5, hours: 0.25}
        """,
    "experiments/gru.yaml": """
        task: {kind: forecasting, window: 11}
        data: sunspots
        model: {kind: gru}
        optimizer: {kind: sgd}
        trainer: {max_epochs: 4}
        """,
}


@pytest.fixture
def study_files(tmp_path):
    """A folder with two experiments; its files may be changed."""
    for name, text in FILES.items():
        path = tmp_path / "config" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(dedent(text), "utf-8")
    return tmp_path


@pytest.fixture
def workflow(study_files):
    return Workflow(load_study(study_files))


@pytest.fixture
def cnn():
    """The wildcards of a job."""
    return SimpleNamespace(experiment="cnn", seed="3", dataset="digits")


@pytest.fixture
def gru():
    return SimpleNamespace(experiment="gru", seed="0", dataset="sunspots")

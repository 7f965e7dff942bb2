"""A training with ``trainer.compile`` and averaged weights, as a user asks for it."""

import json
import shutil

import pytest
import study_process as study

pytestmark = pytest.mark.e2e

EXPERIMENT = """
extends: digits_cnn
model: {channels: [4, 8], hidden: 16}
trainer: {max_epochs: 2, precision: 32-true, compile: true}
weight_averaging: {kind: ema, decay: 0.9}
seeds: [0]
"""


@pytest.mark.skipif(shutil.which("g++") is None, reason="needs a C++ compiler")
def test_a_compiled_network_trains_is_tested_and_can_be_loaded(tmp_path):
    shutil.copytree(study.REPO / "config", tmp_path / "config")
    (tmp_path / "config/experiments/compiled.yaml").write_text(EXPERIMENT)
    folder = tmp_path / "results/experiments/compiled/seed-0"
    result = study.run(tmp_path, str((folder / "metrics.json").relative_to(tmp_path)))
    assert result.returncode == 0, result.stdout
    record = json.loads((folder / "record.json").read_text())
    assert record["spec"]["trainer"]["compile"] is True
    assert json.loads((folder / "metrics.json").read_text())["metrics"]["test/accuracy"] > 0.2

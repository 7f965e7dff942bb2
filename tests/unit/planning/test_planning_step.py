"""The step that plans, with a real trace of a small training."""

import json
from dataclasses import replace

import pytest
from fabricated_plan import gpu, spec
from prepared_by_hand import write_images

from snaketorch.data.manifest import Manifest
from snaketorch.errors import UserError
from snaketorch.planning.facts import Counts
from snaketorch.planning.planned import planned
from snaketorch.planning.step import plan_experiment

MLP = {"kind": "mlp", "hidden": [16]}


@pytest.fixture
def run(tmp_path, monkeypatch):
    """Plans a training on images that are prepared, and gives its file."""
    monkeypatch.chdir(tmp_path)
    manifest = write_images(tmp_path / "data")

    def plan(**changes):
        path = tmp_path / "results/experiments/cnn/plan.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        plan_experiment(spec(model=MLP, **changes), manifest=manifest, plan=path, best=None, code="digest of code")
        return path

    return plan


def test_a_plan_is_written_with_its_record(run, caplog):
    caplog.set_level("INFO")

    content = json.loads(run().read_text("utf-8"))

    assert content["format"] == 1
    assert content["chosen"]["gpu"] == "GeForce RTX 3090"
    assert content["estimate"]["parameters"] == 64 * 16 + 16 + 16 * 2 + 2
    assert content["record"]["code_digest"] == "digest of code"
    assert content["record"]["spec"]["site"]["gpus"][0]["name"] == "GeForce RTX 3090"
    assert "resources: auto asks for" in caplog.text


def test_a_training_that_may_not_fit_is_refused_where_that_is_asked_for(run):
    tiny = replace(gpu("RTX 3090"), name="Tiny", memory_gb=0.25)
    assert run(gpus=[tiny]).exists()

    with pytest.raises(UserError, match=r"experiment cnn may not fit Tiny, and there is no other.*would make it fit: "):
        run(gpus=[tiny], strict=True)


def test_a_model_that_is_trained_on_the_cpu_is_planned_without_a_gpu(run):
    content = json.loads(run(gpus=[], trainer={"accelerator": "cpu"}, gpus_asked=0).read_text("utf-8"))

    assert content["gpus"] == []
    assert content["chosen"]["memory_gb"] >= 1 and content["chosen"]["hours"] == 0.25


def test_processes_that_share_the_cores_of_a_job_each_take_longer(run):
    alone, four = (
        json.loads(
            run(gpus=[], trainer={"accelerator": "cpu", "devices": devices}, gpus_asked=0, cpus=4).read_text("utf-8")
        )["cpu"]
        for devices in (1, 4)
    )
    assert alone["cores"] == four["cores"] == 4
    assert four["seconds_per_step"] > alone["seconds_per_step"]


def test_samples_of_validation_count_on_the_device_as_many_as_there_are(tmp_path):
    manifest = Manifest.load(write_images(tmp_path / "data"))
    manifest = replace(manifest, splits={**manifest.splits, "val": manifest.splits["train"]})
    counts, plain = Counts(manifest, "manifest", ""), spec(model=MLP)
    on_device = plain.data_loader.model_copy(update={"placement": "device"})

    plan = planned(plain.model_copy(update={"data_loader": on_device}), counts, {}, tmp_path)

    assert plan["gpus"][0]["memory"]["data"] == 2 * counts.bytes["train"]

"""``python -m snaketorch plan``, with a real trace of a small training."""

import json
import re
from pathlib import Path

import pytest

from snaketorch import __main__ as command_line

FILES = {
    "config.yaml": "study: small\n",
    "datasets/digits.yaml": "source: {kind: sklearn, name: digits}\n",
    "gpus.yaml": """
currency: EUR
gpus:
  RTX 3090: {price_per_hour: 0.3, gpu_model: rtx3090, partition: gpu}
  Titan V: {price_per_hour: 0.2, gpu_model: titan}
""",
    "experiments/mlp.yaml": """
task: image_classification
data: digits
model: {kind: mlp, hidden: [16]}
optimizer: {kind: adamw}
trainer: {max_epochs: 2, accelerator: gpu}
resources: auto
""",
}


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch) -> Path:
    for name, text in FILES.items():
        path = tmp_path / "config" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_study_is_planned_before_anything_is_prepared(capsys, folder):
    assert command_line.main(["plan", "--json"]) == 0

    (plan,) = json.loads(capsys.readouterr().out)
    assert plan["experiment"] == "mlp"
    assert [gpu["name"] for gpu in plan["gpus"]] == ["TITAN V", "GeForce RTX 3090"]
    assert [gpu["precision"] for gpu in plan["gpus"]] == ["16-mixed", "bf16-mixed"]
    assert plan["estimate"]["parameters"] == 64 * 16 + 16 + 16 * 10 + 10
    assert plan["chosen"]["gpu_model"] == "titan", "as quick, and cheaper"
    assert all(gpu["fits"] and gpu["largest_batch_size"] > 64 for gpu in plan["gpus"])
    assert not (folder / "results").exists()


def test_strict_fails_where_nothing_is_free(capsys, caplog):
    code = command_line.main(["plan", "mlp", "--gpu", "rtx 3090", "--free-memory", "0", "--strict"])

    assert code == 1
    assert "GeForce RTX 3090 *" in capsys.readouterr().out
    assert "experiment mlp may not fit GeForce RTX 3090, and there is no other" in caplog.text


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--gpu", "RTX 3900"], "there is no GPU 'RTX 3900'; allowed: .*did you mean 'GeForce RTX 3090'"),
        (["mpl"], "there is no experiment 'mpl'; allowed: mlp; did you mean 'mlp'"),
    ],
)
def test_a_name_that_is_unknown_brings_suggestions(words, told, caplog):
    assert command_line.main(["plan", *words]) == 1
    assert re.search(told, caplog.text)


def test_memory_below_nothing_is_refused(capsys):
    with pytest.raises(SystemExit):
        command_line.main(["plan", "--free-memory", "-3"])

    assert "is no memory in GiB; allowed: a number of at least 0" in capsys.readouterr().err


@pytest.mark.parametrize("resources", ["{partition: old}", "{partition: old, memory_gb: auto, hours: auto}", "ALL"])
def test_a_partition_leaves_the_gpus_that_are_there(resources, capsys, folder):
    experiment, site = folder / "config/experiments/mlp.yaml", folder / "config/gpus.yaml"
    all_auto = "{partition: old, memory_gb: auto, hours: auto, gpu_model: auto}"
    experiment.write_text(experiment.read_text().replace("auto", resources.replace("ALL", all_auto)))
    dear = "V100 SXM2 16GB: {price_per_hour: 9, gpu_model: v100, partition: old}\n"
    site.write_text(site.read_text().replace("titan}", f"titan, partition: new}}\n  {dear}"))

    assert command_line.main(["plan", "--json"]) == 0

    (plan,) = json.loads(capsys.readouterr().out)
    assert [gpu["name"] for gpu in plan["gpus"]] == ["Tesla V100 SXM2 16GB"]
    assert (plan["chosen"]["gpu"], plan["chosen"]["partition"]) == ("Tesla V100 SXM2 16GB", "old")

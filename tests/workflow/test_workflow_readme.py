"""The README's examples do what it says."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.workflow

REPO = Path(__file__).parent.parent.parent
README = (REPO / "README.md").read_text("utf-8")


def block(language: str, holding: str) -> str:
    """The code block of a language that holds some words."""
    blocks = re.findall(r"^```(\w*)\n(.*?)^```$", README, re.DOTALL | re.MULTILINE)
    (found,) = (text for fence, text in blocks if fence == language and holding in text)
    return found


def snakemake(folder: Path, *arguments: str, snakefile: Path = REPO / "Snakefile") -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "snakemake", "-s", str(snakefile), "--nocolor", "-n", *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True)


@pytest.fixture
def study(tmp_path) -> Path:
    shutil.copytree(REPO / "config", tmp_path / "config")
    return tmp_path


def test_an_experiment_in_60_seconds(study):
    text = block("yaml", "Twice as many filters")
    name = re.search(r"# config/experiments/(\w+)\.yaml", text)[1]
    (study / f"config/experiments/{name}.yaml").write_text(text)
    result = snakemake(study)
    assert result.returncode == 0, result.stderr
    for seed in (0, 1):
        assert f"results/experiments/{name}/seed-{seed}/model.ckpt" in result.stdout
    changed = re.search(r"snakemake -c4 (--config) '(experiments=.*)'", README)
    assert snakemake(study, changed[1], changed[2]).returncode == 0


def test_a_mistake_reads_as_shown(study):
    (study / "config/experiments/digits_wide.yaml").write_text(
        "extends: digits_cnn\n\n\nmodel: {chanels: [64, 128, 128]}\nseeds: [0, 1, 1]\n"
    )
    result = snakemake(study)
    assert result.returncode == 1
    shown = block("", "2 problems")
    assert shown.strip() in result.stderr


def test_a_network_is_one_file_and_one_registration(study, tmp_path):
    copy = tmp_path / "snaketorch"
    copy.mkdir()
    for part in ("Snakefile", "workflow", "snaketorch", "envs", "profiles"):
        source = REPO / part
        (shutil.copytree if source.is_dir() else shutil.copy)(source, copy / part)
    network = block("python", "snaketorch/models/mlp.py")
    (copy / "snaketorch/models/mlp.py").write_text(network)
    registration = block("python", "class Mlp(Section)")
    options = copy / "snaketorch/config/models.py"
    before, union, after = re.split(r"^(Model = .*\n)", options.read_text("utf-8"), flags=re.MULTILINE)
    assert union in registration.replace(" | Mlp", "")  # the README shows the union as it is
    options.write_text(before + registration + after)
    experiment = (study / "config/experiments/digits_cnn.yaml").read_text("utf-8")
    changed = re.sub(r"^model: .*$", "model: {kind: mlp, hidden: 8}", experiment, flags=re.MULTILINE)
    (study / "config/experiments/digits_mlp.yaml").write_text(changed)

    result = snakemake(study, snakefile=copy / "Snakefile")
    assert result.returncode == 0, result.stderr
    assert "results/experiments/digits_mlp/seed-0/model.ckpt" in result.stdout
    built = subprocess.run(
        [
            sys.executable,
            "-c",
            "import torch; from snaketorch.config.models import Mlp; from snaketorch.models import build_network;"
            "print(build_network(Mlp(kind='mlp', hidden=8), (1, 16, 16), 10)(torch.zeros(2, 1, 16, 16)).shape)",
        ],
        cwd=copy,
        env={"PYTHONPATH": str(copy)},
        capture_output=True,
        text=True,
    )
    assert built.stdout.strip() == "torch.Size([2, 10])", built.stderr


def test_every_file_of_the_tree_exists():
    tree = block("", "Snakefile                 table of contents")
    for line in tree.splitlines():
        name = line.split("  ")[0].strip() or line.strip().split("  ")[0]
        parent = REPO / "snaketorch" if line.startswith("  ") else REPO
        for path in name.split(", "):
            assert (parent / path).exists(), path

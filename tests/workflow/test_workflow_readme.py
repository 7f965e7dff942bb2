"""The README's examples do what it says."""

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from small_study import SmallStudy

from snaketorch.status.outcome import State

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


def test_a_larger_example_runs_as_its_readme_says(study):
    text = (REPO / "config/examples/README.md").read_text("utf-8")
    *copies, run = re.search(r"```bash\n(.*?)```", text, re.DOTALL)[1].splitlines()
    for copy in copies:
        subprocess.run(copy.split(), cwd=study, check=True)
    result = snakemake(study, *shlex.split(run)[2:])
    assert result.returncode == 0, result.stderr
    assert "results/experiments/cifar10_resnet18/seed-0/model.ckpt" in result.stdout
    assert "results/experiments/digits_cnn/seed-0/model.ckpt" not in result.stdout


def test_a_mistake_reads_as_shown(study):
    (study / "config/experiments/digits_wide.yaml").write_text(
        "extends: digits_cnn\n\n\nmodel: {chanels: [64, 128, 128]}\nseeds: [0, 1, 1]\n"
    )
    result = snakemake(study)
    assert result.returncode == 1
    shown = block("", "2 problems")
    assert shown.strip() in result.stderr


def snaketorch(folder: Path, *arguments: str, repository: Path = REPO) -> str:
    """What `python -m snaketorch` says in a folder."""
    command = [sys.executable, "-m", "snaketorch", *arguments]
    environment = {**os.environ, "PYTHONPATH": str(repository)}
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=True).stdout


def test_what_is_going_on_looks_as_shown(study):
    said = snaketorch(study, "status", "digits_cnn", "digits_lstm")
    of_one_line = re.compile(r"^  (?:seed \d+|study page|\w+) +(\w+)", re.MULTILINE)
    shown = block("", "total: 8 trainings")

    assert set(of_one_line.findall(said)) == {"waiting"}
    assert {"done", "running", "stale"} == set(of_one_line.findall(shown)) <= set(State)
    for experiment in re.findall(r"^(\w+)$", shown, re.MULTILINE):
        assert experiment == "datasets" or (study / f"config/experiments/{experiment}.yaml").exists()


def test_an_edit_is_explained_as_shown(study, request, repository):
    config = study / "config/config.yaml"
    config.write_text(re.sub(r"^run: .*$", "run: [digits_lstm]", config.read_text(), flags=re.MULTILINE))
    small = SmallStudy(study, request.getfixturevalue("snakemake"), repository)  # whose name is taken here
    assert small.run_with_stub().code == 0
    before, after = re.search(r"Here `lr` was changed from `(.*?)` to `(.*?)` in `digits_lstm.yaml`", README).groups()
    experiment = study / "config/experiments/digits_lstm.yaml"
    assert f"lr: {before}" in experiment.read_text()
    experiment.write_text(experiment.read_text().replace(f"lr: {before}", f"lr: {after}"))

    said = snaketorch(study, "explain", "digits_lstm", repository=repository)
    shown = block("", "jobs would run").removesuffix("...\n")
    assert said.startswith(shown)


def write_named(text: str, folder: Path) -> None:
    """Makes the file that the first line of ``text`` names."""
    (folder / text.splitlines()[0].removeprefix("# ")).write_text(text, "utf-8")


def apply_diff(diff: str, path: Path) -> None:
    """Edits a file as the hunks of ``diff`` say; what they show of it must stand there once."""
    text = path.read_text("utf-8")
    for hunk in diff.split("@@\n"):
        lines = hunk.splitlines(keepends=True)
        before = "".join(line[1:] for line in lines if line[0] in " -")
        after = "".join(line[1:] for line in lines if line[0] in " +")
        assert text.count(before) == 1, before
        text = text.replace(before, after)
    path.write_text(text, "utf-8")


def test_a_network_is_two_files_and_one_registration(study, tmp_path):
    copy = tmp_path / "snaketorch"
    copy.mkdir()
    for part in ("Snakefile", "workflow", "snaketorch", "envs", "profiles", "tests/networks", "pyproject.toml"):
        source = REPO / part
        (shutil.copytree if source.is_dir() else shutil.copy)(source, copy / part)
    (copy / "tests/unit").mkdir()
    for helper in ("prepared_by_hand.py", "small_corpus.py", "trainings.py"):
        shutil.copy(REPO / "tests/unit" / helper, copy / "tests/unit")
    write_named(block("python", "# snaketorch/models/maxout.py"), copy)
    write_named(block("python", "# snaketorch/config/models/maxout.py"), copy)
    apply_diff(block("diff", "Maxout"), copy / "snaketorch/config/models/__init__.py")
    experiment = (study / "config/experiments/digits_cnn.yaml").read_text("utf-8")
    example = re.search(r"`model: (\{kind: maxout, .*\})` works", README)[1]
    changed = re.sub(r"^model: .*$", f"model: {example}", experiment, flags=re.MULTILINE)
    assert changed != experiment
    (study / "config/experiments/digits_maxout.yaml").write_text(changed)

    result = snakemake(study, snakefile=copy / "Snakefile")
    assert result.returncode == 0, result.stderr
    assert "results/experiments/digits_maxout/seed-0/model.ckpt" in result.stdout
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/networks"]
    trained = subprocess.run(
        [*command, "-k", "maxout and image_classification"],
        cwd=copy,
        env={**os.environ, "PYTHONPATH": str(copy)},
        capture_output=True,
        text=True,
    )
    assert "1 passed" in trained.stdout, trained.stdout


def test_every_file_of_the_tree_exists():
    tree = block("", "Snakefile                 table of contents")
    for line in tree.splitlines():
        name = line.split("  ")[0].strip() or line.strip().split("  ")[0]
        parent = REPO / "snaketorch" if line.startswith("  ") else REPO
        for path in name.split(", "):
            assert (parent / path).exists(), path

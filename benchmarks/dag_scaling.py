"""How long Snakemake plans a study, by its number of experiments.

Compared with a Snakefile without this package: the same rules with the same directives, inputs,
outputs and logs, and constants where the rules here ask for specs, digests and resources.
"""

import argparse
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

from machine import described

REPOSITORY = Path(__file__).parent.parent
RESULT = Path(__file__).parent / "results" / "dag_scaling.md"
GOAL = 2.0

STUDY = "study: many\n"
DATASET = "source: {kind: sklearn, name: digits}\nprepare: {size: [16, 16]}\n"
EXPERIMENT = """\
description: One of many
task: image_classification
data: digits
model: {{kind: cnn, channels: [32, 64, 64], hidden: {hidden}, dropout: 0.25}}
optimizer: {{kind: adamw, lr: 3.0e-3, weight_decay: 0.01}}
lr_scheduler: {{kind: one_cycle}}
trainer: {{max_epochs: 20, precision: auto, gradient_clip_val: 1.0}}
data_loader: {{batch_size: 64}}
resources: {{cpus: 1, memory_gb: 4, hours: 1}}
"""

BARE = """\
NAMES = [f"cnn_{{number:04}}" for number in range({size})]
RUN = "results/experiments/{{experiment}}/seed-{{seed}}"
EXPERIMENT = "results/experiments/{{experiment}}"
DATASET = "results/datasets/{{dataset}}"


rule all:
    default_target: True
    input:
        "results/tracking.json",
        expand([f"{{DATASET}}/manifest.json", f"{{DATASET}}/preview.png", f"{{DATASET}}/arrays"], dataset="digits"),
        expand(
            [f"{{RUN}}/{{name}}" for name in ("model.ckpt", "history.csv", "record.json", "metrics.json",
                                          "predictions.parquet", "figures")],
            experiment=NAMES, seed=0,
        ),
        expand([f"{{EXPERIMENT}}/config.yaml", f"{{EXPERIMENT}}/summary.json"], experiment=NAMES),
        "results/report.html",


rule init_tracking:
    output: "results/tracking.json"
    log: "logs/init_tracking.log"
    conda: "env.yaml"
    resources: mem_mb=1024, runtime=10
    shell: "true > {{output:q}}"


rule prepare_dataset:
    output:
        manifest=f"{{DATASET}}/manifest.json",
        preview=f"{{DATASET}}/preview.png",
        arrays=directory(f"{{DATASET}}/arrays"),
    log: "logs/prepare_dataset/{{dataset}}.log"
    conda: "env.yaml"
    resources: mem_mb=4096, runtime=60
    params: spec="a constant", code="a constant"
    shell: "true --spec {{params.spec:q}} > {{output.manifest:q}}"


rule train_model:
    input: manifest="results/datasets/digits/manifest.json"
    output: model=f"{{RUN}}/model.ckpt", history=f"{{RUN}}/history.csv", record=f"{{RUN}}/record.json"
    log: "logs/train_model/{{experiment}}/seed-{{seed}}.log"
    conda: "env.yaml"
    threads: 1
    resources: mem_mb=4096, runtime=60, gpu=0, nodes=1
    params: spec="a constant", code="a constant", state="state/train/{{experiment}}/seed-{{seed}}"
    shell: "true --spec {{params.spec:q}} > {{output.model:q}}"


rule evaluate_model:
    input:
        manifest="results/datasets/digits/manifest.json",
        model=f"{{RUN}}/model.ckpt",
        history=f"{{RUN}}/history.csv",
        record=f"{{RUN}}/record.json",
    output:
        metrics=f"{{RUN}}/metrics.json",
        predictions=f"{{RUN}}/predictions.parquet",
        figures=directory(f"{{RUN}}/figures"),
    log: "logs/evaluate_model/{{experiment}}/seed-{{seed}}.log"
    conda: "env.yaml"
    threads: 1
    resources: mem_mb=4096, runtime=60, gpu=0, nodes=1
    params: spec="a constant", code="a constant"
    shell: "true --spec {{params.spec:q}} > {{output.metrics:q}}"


rule summarise_experiment:
    input:
        metrics="results/experiments/{{experiment}}/seed-0/metrics.json",
        records="results/experiments/{{experiment}}/seed-0/record.json",
    output: summary=f"{{EXPERIMENT}}/summary.json", config=f"{{EXPERIMENT}}/config.yaml"
    log: "logs/summarise_experiment/{{experiment}}.log"
    conda: "env.yaml"
    resources: mem_mb=1024, runtime=10
    params: spec="a constant", code="a constant"
    shell: "true --spec {{params.spec:q}} > {{output.summary:q}}"


rule report_study:
    input:
        summaries=expand(f"{{EXPERIMENT}}/summary.json", experiment=NAMES),
        figures=expand(f"{{RUN}}/figures", experiment=NAMES, seed=0),
        previews="results/datasets/digits/preview.png",
    output: "results/report.html"
    log: "logs/report_study.log"
    conda: "env.yaml"
    resources: mem_mb=2048, runtime=30
    params: spec="a constant", code="a constant"
    shell: "true --spec {{params.spec:q}} > {{output:q}}"
"""


def make_study(folder: Path, size: int) -> list[str]:
    """A study of ``size`` experiments; returns the arguments that name its Snakefile."""
    config = folder / "config"
    (config / "datasets").mkdir(parents=True)
    (config / "experiments").mkdir()
    (config / "config.yaml").write_text(STUDY, "utf-8")
    (config / "datasets/digits.yaml").write_text(DATASET, "utf-8")
    for number in range(size):
        (config / f"experiments/cnn_{number:04}.yaml").write_text(EXPERIMENT.format(hidden=number + 1), "utf-8")
    return ["-s", str(REPOSITORY / "Snakefile")]


def make_bare(folder: Path, size: int) -> list[str]:
    """The same jobs by a Snakefile alone."""
    folder.mkdir()
    (folder / "Snakefile").write_text(BARE.format(size=size), "utf-8")
    (folder / "env.yaml").touch()
    shutil.copytree(REPOSITORY / "profiles", folder / "profiles")
    return []


def plan(folder: Path, arguments: list[str]) -> float:
    """Seconds of one dry-run."""
    command = [sys.executable, "-m", "snakemake", *arguments, "-n", "--quiet", "all"]
    start = time.perf_counter()
    subprocess.run(command, cwd=folder, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return time.perf_counter() - start


def count_jobs(folder: Path, arguments: list[str]) -> int:
    command = [sys.executable, "-m", "snakemake", *arguments, "-n"]
    output = subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True).stdout
    return int(output[output.rindex("\ntotal ") :].split()[1])


def measure(sizes: list[int], repeats: int) -> list[tuple[int, int, float, float]]:
    """For each size: experiments, jobs, and median seconds with and without the package."""
    rows = []
    with tempfile.TemporaryDirectory() as temporary:
        for size in sizes:
            study, bare = Path(temporary, f"study-{size}"), Path(temporary, f"bare-{size}")
            ours, theirs = make_study(study, size), make_bare(bare, size)
            jobs = count_jobs(study, ours)
            assert jobs == count_jobs(bare, theirs), "the baseline must have the same jobs"
            times = [(plan(study, ours), plan(bare, theirs)) for _ in range(repeats)]
            rows.append((size, jobs, median(time[0] for time in times), median(time[1] for time in times)))
            print(f"{size} experiments: {rows[-1][2]:.2f} s, bare {rows[-1][3]:.2f} s", flush=True)
    return rows


def table(rows: list[tuple[int, int, float, float]], repeats: int) -> str:
    lines = [
        "# Planning a study",
        "",
        f"`snakemake -n --quiet all` on studies of one seed an experiment, medians of {repeats} runs in turn with a",
        "Snakefile of the same rules without the package (see `benchmarks/dag_scaling.py`).",
        "",
        "The last columns are what each job more than in the row above costs: equal where planning grows linearly.",
        "",
        "| experiments | jobs | Snaketorch, s | bare, s | ratio | Snaketorch, ms/job | bare, ms/job |",
        "|---:|---:|---:|---:|---:|---:|---:|",
    ]
    before = None
    for row in rows:
        size, jobs, ours, bare = row
        slopes = [1000 * (row[i] - before[i]) / (jobs - before[1]) for i in (2, 3)] if before else []
        shown = " | ".join(f"{slope:.2f}" for slope in slopes) or " | "
        lines.append(f"| {size} | {jobs} | {ours:.2f} | {bare:.2f} | {ours / bare:.2f} | {shown} |")
        before = row
    ratio = rows[-1][2] / rows[-1][3]
    verdict = "met" if ratio <= GOAL else "missed"
    lines += [
        "",
        f"Goal at {rows[-1][0]} experiments: at most {GOAL:g} times the bare Snakefile. {verdict.capitalize()}.",
    ]
    lines += ["", f"{described(['snakemake', 'pydantic', 'pyyaml'])}", ""]
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sizes", type=int, nargs="+", default=[10, 100, 1000])
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--out", type=Path, default=RESULT)
    arguments = parser.parse_args()
    text = table(measure(sorted(arguments.sizes), arguments.repeats), arguments.repeats)
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    arguments.out.write_text(text, "utf-8")
    print(text)


if __name__ == "__main__":
    main()

"""What the imports of each step cost: time, memory, modules.

Each step is a process of its own, so its start is paid by every job. Compared with the bare import of
what a training cannot do without. The modules that a job finds by name (its source, task, network) are
counted with their step.
"""

import argparse
import os
import subprocess
import sys
import time
from pathlib import Path
from statistics import median
from typing import NamedTuple

from machine import described

from snaketorch.commands import MODULES as COMMANDS

RESULT = Path(__file__).parent / "results" / "startup.md"
BASELINE = "torch and Lightning"
TRAINED = ("snaketorch.tasks.classification", "snaketorch.models.cnn")
COMMAND_LINE = (
    "snaketorch.__main__",
    *(f"snaketorch.commands.{name}" for name in COMMANDS),
    "snaketorch.config.specs",
)

STEPS = {
    BASELINE: ("torch", "pytorch_lightning"),
    "prepare": (*COMMAND_LINE, "snaketorch.data.prepare", "snaketorch.data.sources.sklearn"),
    "train": (*COMMAND_LINE, "snaketorch.training.train", "snaketorch.tracking.sidecar", *TRAINED),
    "evaluate": (
        *COMMAND_LINE,
        "snaketorch.evaluation.evaluate",
        "snaketorch.evaluation.classification",
        "snaketorch.tracking.sidecar",
        *TRAINED,
    ),
    "summarise": (*COMMAND_LINE, "snaketorch.report.summarise"),
    "report": (*COMMAND_LINE, "snaketorch.report.study"),
    "init-tracking": (*COMMAND_LINE, "snaketorch.tracking.initialise"),
    "sync": (*COMMAND_LINE, "snaketorch.tracking.sync", "snaketorch.tracking.follow"),
    "Snakefile": (
        "snaketorch.layout",
        "snaketorch.config.load",
        "snaketorch.dag.environment",
        "snaketorch.dag.stale_locks",
        "snaketorch.dag.workflow",
    ),
}
WORTH_NAMING = (
    "torch",
    "torchvision",
    "pytorch_lightning",
    "torchmetrics",
    "numpy",
    "scipy",
    "pandas",
    "sklearn",
    "statsmodels",
    "matplotlib",
    "pyarrow",
    "mlflow",
    "jinja2",
    "pydantic",
)
SCRIPT = """
import sys
for name in sys.argv[1].split():
    __import__(name)
print(len(sys.modules), *(name for name in sys.argv[2].split() if name in sys.modules))
"""


class Start(NamedTuple):
    """One start of a process."""

    seconds: float
    megabytes: float
    modules: int
    packages: list[str]


def start(modules: tuple[str, ...]) -> Start:
    command = [sys.executable, "-c", SCRIPT, " ".join(modules), " ".join(WORTH_NAMING)]
    began = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    output = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - began
    process.returncode = os.waitstatus_to_exitcode(status)
    process.stdout.close()
    if process.returncode:
        raise SystemExit(f"{' '.join(modules)} cannot be imported")
    count, *packages = output.split()
    return Start(seconds, usage.ru_maxrss / 1024, int(count), packages)


def measure(repeats: int) -> dict[str, list[Start]]:
    """The starts of each step, in turn, so that a busy moment is shared by all; the first round is not counted."""
    starts: dict[str, list[Start]] = {name: [] for name in STEPS}
    for turn in range(repeats + 1):
        for name, modules in STEPS.items():
            found = start(modules)
            if turn:
                starts[name].append(found)
    return starts


def table(starts: dict[str, list[Start]], repeats: int) -> str:
    lines = [
        "# Starting a step",
        "",
        f"Imports alone, in a fresh process each, medians of {repeats} (see `benchmarks/startup.py`).",
        "",
        "| step | seconds | against the bare import | peak memory, MB | modules | packages |",
        "|---|---:|---:|---:|---:|---|",
    ]
    bare = median(found.seconds for found in starts[BASELINE])
    for name, found in starts.items():
        seconds, memory = median(one.seconds for one in found), median(one.megabytes for one in found)
        packages = ", ".join(found[0].packages)
        lines.append(
            f"| {name} | {seconds:.2f} | {seconds / bare:.2f} | {memory:.0f} | {found[0].modules} | {packages} |"
        )
    return "\n".join([*lines, "", described(["torch", "pytorch-lightning", "torchmetrics", "mlflow"]), ""])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--out", type=Path, default=RESULT)
    arguments = parser.parse_args()
    text = table(measure(arguments.repeats), arguments.repeats)
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    arguments.out.write_text(text, "utf-8")
    print(text)


if __name__ == "__main__":
    main()

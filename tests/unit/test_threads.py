import json
import os
import subprocess
import sys
from contextlib import nullcontext
from types import SimpleNamespace

import pyarrow as pa
import pytest
import torch

from snaketorch import __main__ as command_line
from snaketorch.commands import train
from snaketorch.data.decoding.pool import num_threads
from snaketorch.threads import VARIABLES, use_threads
from snaketorch.tracking import sidecar

STEP = """
import importlib, json, os, sys
from snaketorch import __main__ as command_line
def step(arguments):
    assert not {"numpy", "torch", "pyarrow", "tokenizers"} & set(sys.modules), "too late"
    import pyarrow
    from snaketorch.data.decoding.pool import num_threads
    said = {os.environ[name] for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "TORCHINDUCTOR_COMPILE_THREADS")}
    print(json.dumps([*map(int, said), pyarrow.cpu_count(), num_threads()]))
setattr(importlib.import_module(f"snaketorch.commands.{sys.argv[1]}"), sys.argv[1], step)
sys.exit(command_line.main(sys.argv[2:]))
"""


@pytest.fixture
def as_before(monkeypatch):
    """Restores the environment and the libraries after a test."""
    for name in VARIABLES:
        monkeypatch.setenv(name, "1")
    before = torch.get_num_threads(), pa.cpu_count()
    yield
    torch.set_num_threads(before[0])
    pa.set_cpu_count(before[1])


@pytest.mark.parametrize("count", [1, 3])
def test_decoding_and_libraries_use_the_threads_of_the_job(as_before, count):
    use_threads(count)
    assert num_threads() == torch.get_num_threads() == pa.cpu_count() == count


@pytest.mark.parametrize(
    ("step", "paths", "options", "threads"),
    [
        ("evaluate", "manifest model record history metrics predictions figures", ["--threads", "3"], 3),
        ("report", "results out", [], 1),
    ],
)
def test_a_step_sets_its_threads_before_a_library_is_loaded(tmp_path, step, paths, options, threads):
    environment = {name: value for name, value in os.environ.items() if name not in VARIABLES}
    arguments = [*options, "--spec", "{}", *(word for path in paths.split() for word in (f"--{path}", path))]
    command = [sys.executable, "-c", STEP, step, step, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, env=environment, timeout=300)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == [threads] * 3


def test_the_processes_of_a_training_share_its_threads(as_before, monkeypatch):
    told = {}
    monkeypatch.setattr(train, "LocalRanks", lambda *_: nullcontext())  # the other processes
    monkeypatch.setattr(train, "_train", lambda spec, arguments, threads: told.update(threads=threads))
    trainer = SimpleNamespace(devices=3, num_nodes=2)
    monkeypatch.setattr(train, "spec_of", lambda *_: SimpleNamespace(trainer=trainer))
    paths = ("manifest", "state", "model", "history", "record", "samples")
    words = [word for path in paths for word in (f"--{path}", path)]
    assert command_line.main(["train", "--spec", "{}", *words, "--threads", "7"]) == 0
    assert told["threads"] == int(os.environ["OMP_NUM_THREADS"]) == torch.get_num_threads() == 2


def test_the_uploader_beside_a_job_has_one_thread(tmp_path, monkeypatch, as_before):
    use_threads(3)
    monkeypatch.setenv("SNAKETORCH_TRACKING", "on")
    write = "import os, pathlib; pathlib.Path('threads').write_text(os.environ['OMP_NUM_THREADS'])"
    monkeypatch.setattr(sidecar, "command", lambda folder: [sys.executable, "-c", write])
    monkeypatch.chdir(tmp_path)
    with sidecar.uploading(tmp_path):
        pass
    assert (tmp_path / "threads").read_text() == "1"

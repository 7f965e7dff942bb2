"""Runs several sweeps in one process, for Ray takes long to start: ``several_sweeps.py FOLDER MANIFEST CASES``.

``CASES`` is JSON: for each name, what differs of `tune`, and perhaps `epochs`.
"""

import json
import os
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path

from snaketorch.tuning import ray_cluster
from snaketorch.tuning.room import Room
from tests.sweeps.sweep_process import sweep_spec


def run(folder: Path, manifest: Path, cases: dict[str, dict]) -> None:
    room, start = Room(cpus=2, cpu=1), ray_cluster.ray_in_job
    with start(room, None) as ray_folder:

        @contextmanager
        def is_there(*_):
            yield Path(tempfile.mkdtemp(dir=ray_folder))

        ray_cluster.ray_in_job = is_there
        from snaketorch.tuning.tune import SweepFiles, tune

        for name, keys in cases.items():
            out = folder / name
            files = {Path(each).stem: out / each for each in ("best.yaml", "trials.csv", "curves.csv", "sweep.json")}
            spec = sweep_spec(epochs=keys.pop("epochs"), **keys)
            tune(
                spec,
                manifest=manifest,
                state_root=folder / "state" / name,
                files=SweepFiles(**files, figures=out / "figures"),
                code="",
                room=room,
            )


if __name__ == "__main__":
    os.chdir(sys.argv[1])
    run(Path(sys.argv[1]), Path(sys.argv[2]), json.loads(sys.argv[3]))

"""Without a batch system: the same command on each machine, which is told by hand where the others are."""

import json
import os
import socket
import subprocess
import sys

import torch
from small_curves import IMAGES, spec_on
from trained_files import rows, weights


def test_two_machines_learn_what_two_processes_of_one_do(two, folder, manifests):
    spec = spec_on(2, *IMAGES, {})
    assert two.train(spec, manifests["images"], "one machine") == "done"
    spec["trainer"] |= {"devices": 1, "num_nodes": 2}
    out = {name: f"two machines/{name}" for name in ("model.ckpt", "history.csv", "record.json", "samples")}
    paths = {"spec": json.dumps(spec), "manifest": manifests["images"], "state": "state/train/two machines/seed-0"}
    options = paths | {name.partition(".")[0]: path for name, path in out.items()}
    command = [sys.executable, "-m", "snaketorch", "train"]
    command += [word for name, value in options.items() for word in (f"--{name}", str(value))]
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    by_hand = {**os.environ, "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port)}
    machines = [
        subprocess.Popen(
            command, cwd=folder, env={**by_hand, "NODE_RANK": str(rank)}, stderr=subprocess.PIPE, text=True
        )
        for rank in (0, 1)
    ]
    said = [machine.communicate(timeout=900)[1] for machine in machines]

    assert [machine.returncode for machine in machines] == [0, 0], said
    assert "2 processes train together" in said[0]
    assert "epoch" not in said[1]
    assert json.loads((folder / out["record.json"]).read_text())["processes"] == 2
    assert rows(folder / "two machines") == rows(folder / "one machine")
    expected, found = weights(folder / "one machine"), weights(folder / "two machines")
    assert all(torch.equal(found[name], value) for name, value in expected.items())


def test_several_nodes_without_the_others_are_refused_at_once(folder, manifests):
    spec = spec_on(2, *IMAGES, {})
    spec["trainer"] |= {"devices": 1, "num_nodes": 2}
    options = {"spec": json.dumps(spec), "manifest": manifests["images"]}
    options |= {name: f"alone/{name}" for name in ("state", "model", "history", "record", "samples")}
    command = [sys.executable, "-m", "snaketorch", "train"]
    command += [word for name, value in options.items() for word in (f"--{name}", str(value))]
    alone = {name: value for name, value in os.environ.items() if not name.startswith(("SLURM_", "MASTER_"))}
    done = subprocess.run(command, cwd=folder, env=alone, capture_output=True, text=True, timeout=300)

    assert done.returncode == 1
    assert "trainer.num_nodes: 2, and this is one machine" in done.stderr
    assert "MASTER_ADDR, MASTER_PORT, NODE_RANK" in done.stderr

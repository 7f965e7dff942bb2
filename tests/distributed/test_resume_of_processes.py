"""Processes that are killed, and go on, end with the bits of those that never were."""

import json

import pytest
import torch
from small_curves import AVERAGED_GAN, CNN, GAN, IMAGES, LANGUAGE, POWER_SGD, spec_on
from trained_files import rows, weights

CASES = {
    "statistics and dropout": ("images", IMAGES[0], {**CNN, "dropout": 0.3, "batch_norm": True}, {}, 6),
    "accumulation and averages": (
        "images",
        *IMAGES,
        {"trainer": {"accumulate_grad_batches": 2}, "weight_averaging": {"kind": "ema", "decay": 0.9}},
        6,
    ),
    "the step before an epoch's end": ("images", *IMAGES, {"optimizer": {"kind": "adam", "lr": 0.01}}, 3),
    "language model": (*LANGUAGE, 5),
    "generator and discriminator": (*GAN, 5),
    "averaged generator": (*AVERAGED_GAN, 6),
    "gradients that were not sent": (*POWER_SGD, 6),
}


def assert_ends_with_the_same_bits(processes, spec, manifest, name, batch, folder) -> None:
    assert processes.train(spec, manifest, f"whole {name}", saves=True) == "done"
    assert processes.train(spec, manifest, f"killed {name}", saves=True, kill_at=batch) == "killed"
    (checkpoints,) = (folder / "state/train" / f"killed {name}").rglob("checkpoints.json")
    assert json.loads(checkpoints.read_text())[-1]["batches"] == batch

    assert processes.train(spec, manifest, f"killed {name}", saves=True) == "done"

    whole, killed = folder / f"whole {name}", folder / f"killed {name}"
    assert rows(killed) == rows(whole)
    expected, found = weights(whole), weights(killed)
    assert all(torch.equal(found[name], value) for name, value in expected.items())


@pytest.mark.parametrize("case", CASES)
def test_two_processes_that_were_killed_end_with_the_same_bits(case, two, folder, manifests):
    data, *sections, batch = CASES[case]
    assert_ends_with_the_same_bits(two, spec_on(2, *sections), manifests[data], case, batch, folder)


def test_more_processes_add_up_in_the_same_order_after_a_kill(four, folder, manifests):
    spec = spec_on(4, IMAGES[0], {"kind": "mlp", "hidden": [32, 32]}, {})
    assert_ends_with_the_same_bits(four, spec, manifests["images"], "of four", 5, folder)

"""Two processes learn what one does: the same losses, but for the order in which numbers are added up."""

import json

import pytest
import torch
from small_curves import BROKEN, CASES, POWER_SGD, spec_on
from trained_files import rows, weights


def assert_equal_up_to_rounding(found, expected) -> None:
    for row, before in zip(rows(found), rows(expected), strict=True):
        assert row == pytest.approx(before, rel=1e-6, abs=1e-8)
    of_found = weights(found)
    for name, value in weights(expected).items():
        torch.testing.assert_close(of_found[name], value, rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("case", CASES)
def test_two_processes_learn_what_one_does(case, one, two, folder, manifests):
    data, *sections = CASES[case]
    for devices, processes in ((1, one), (2, two)):
        spec = spec_on(devices, *sections)
        answer = processes.train(spec, manifests[data], f"{case} {devices}", broken=BROKEN.get(case, []))
        assert answer == "done"

    assert_equal_up_to_rounding(folder / f"{case} 2", folder / f"{case} 1")
    alone, together = (json.loads((folder / f"{case} {devices}/record.json").read_text()) for devices in (1, 2))
    assert [together[name] for name in ("processes", "strategy")] == [2, "ddp"]
    assert together["step_size"] == alone["step_size"]
    assert together["best"] == pytest.approx(alone["best"])
    assert (together["steps"], together["non_finite"]) == (alone["steps"], alone["non_finite"])


@pytest.mark.parametrize("case", ["generator and discriminator"])
def test_processes_with_fewer_validation_batches_than_others_wait_for_nothing(case, one, three, folder, manifests):
    data, *sections, changes = CASES[case]
    for devices, processes in ((1, one), (3, three)):  # of 20 samples one has 6, a batch, and two have 7
        spec = spec_on(devices, *sections, changes | {"data_loader": {"batch_size": 9}})
        assert processes.train(spec, manifests[data], f"uneven {case} {devices}") == "done"

    assert_equal_up_to_rounding(folder / f"uneven {case} 3", folder / f"uneven {case} 1")


def test_what_the_curves_are_about_happens(folder):
    epochs = {case: rows(folder / f"{case} 2") for case in ("early stopping", "slower after a plateau")}
    assert len(epochs["early stopping"]) == 2
    assert epochs["slower after a plateau"][-1]["lr"] < epochs["slower after a plateau"][0]["lr"]
    records = {case: json.loads((folder / f"{case} 2/record.json").read_text()) for case in BROKEN}
    assert {case: record["non_finite"]["restored"] for case, record in records.items()} == {
        "skipping": 0,
        "restoring": 2,
    }
    assert all(record["non_finite"]["steps"] == [3, 6] for record in records.values())


@pytest.mark.parametrize("case", ["classification", "language model"])
def test_batches_that_no_memory_holds_are_computed_in_parts_by_all(case, one, two, folder, manifests):
    data, *sections = CASES[case]
    spec, name = spec_on(2, *sections), f"{case} in parts"
    assert "hold training on a batch (CUDA out of memory" in two.train(spec, manifests[data], name, memory=5)
    assert two.train(spec, manifests[data], name, memory=5) == "done"

    assert_equal_up_to_rounding(folder / name, folder / f"{case} 2")
    assert json.loads((folder / name / "record.json").read_text())["micro_batches"]["factor"] == 2


def test_compressed_gradients_lead_nearly_where_whole_ones_do(two, folder, manifests):
    data, *sections, changes = POWER_SGD
    for kind in ("none", "fp16", "bf16", "powersgd"):
        spec = spec_on(2, *sections, changes | {"trainer": {"gradient_compression": kind}})
        assert two.train(spec, manifests[data], f"gradients {kind}") == "done"

    expected = rows(folder / "gradients none")[-1]["val/loss"]
    for kind, difference in {"fp16": 1e-3, "bf16": 1e-2, "powersgd": 0.1}.items():
        found = rows(folder / f"gradients {kind}")[-1]["val/loss"]
        assert found != expected, kind
        assert found == pytest.approx(expected, rel=difference), kind

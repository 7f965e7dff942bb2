"""A plan in a terminal."""

from dataclasses import replace

import pytest
from fabricated_plan import gpu, planned, priced, spec

from snaketorch.planning.table import table


def test_every_gpu_has_a_line_within_100_columns():
    gpus = [
        priced("RTX 3090", 0.3, gpu_model="rtx3090", partition="gpu"),
        replace(gpu("A100 SXM4 80GB"), name="A slice of the A100 in the cellar of the institute"),
        gpu("GH200"),
    ]

    lines = table(planned(spec(gpus, batch_size=1024, trainer={"precision": "32-true"}), fixed=12)).splitlines()

    assert max(map(len, lines)) <= 100
    row = next(line for line in lines if line.startswith("GeForce RTX 3090"))
    assert row.split()[3:8] == ["24", "24", "maybe", "960", "32-true"]
    place = lines.index("A slice of the A100 in the cellar of the institute *")
    assert "32-true" in lines[place + 1]
    assert any(line.startswith("GH200 96GB ?") for line in lines)
    assert "? figures of low certainty." in lines


def test_what_would_be_asked_for_can_be_written_into_the_configuration():
    text = table(planned(spec([priced("RTX 3090", 0.3, gpu_model="rtx3090", partition="gpu")])))

    assert "resources: auto asks for {memory_gb: 4, hours: 0.25, gpu_model: rtx3090, partition: gpu}" in text
    assert "* GeForce RTX 3090: the cheapest that fits; at most" in text
    assert "EUR" in text


def test_without_prices_there_is_no_column_of_money():
    text = table(planned(spec(["RTX 3090"])))

    assert "money" not in text


def test_a_training_on_the_cpu_has_a_line_of_its_own():
    text = table(planned(spec([], trainer={"accelerator": "cpu"}, gpus_asked=0)))

    assert "On 2 CPU cores: 37 min a training (2 s a step)." in text
    assert "GPU  " not in text


def test_batches_and_samples_of_one_of_several_devices_are_told_as_such():
    text = " ".join(table(planned(spec(["RTX 3090"], trainer={"devices": 4}, gpus_asked=4))).split())

    assert "batches of 64, at most 10 epochs of 6.4 k samples, on each of 4 devices, 3 trainings" in text


@pytest.mark.parametrize(
    ("seconds", "written"), [(0.0042, "4.2 ms"), (0.0994, "99 ms"), (0.0996, "100 ms"), (0.25, "250 ms"), (2.0, "2 s")]
)
def test_a_step_is_told_in_milliseconds_of_two_digits_or_more(seconds, written):
    assert f"({written} a step)" in table(
        planned(spec([], trainer={"accelerator": "cpu"}, gpus_asked=0), cpu_seconds=seconds)
    )

"""What the page says of the machine's part: measured, as planned, and what to ask for."""

import json
from pathlib import Path

import pytest
from fabricated_study import RESULTS, STUDY, edit, experiment, run_summarise, seed_folder
from html_outline import Page

from snaketorch.report.results import read_experiment
from snaketorch.report.study import report
from snaketorch.report.usage import Usage, usage

NAME = "digits_cnn"
SEEDS = (0, 1, 2)
GIB = 2**30


def used(**changes) -> dict:
    """Of a training on a GPU."""
    return {
        "peak_memory_mb": 5000.0,
        "reserved_memory_mb": 5120.0,
        "device_memory_mb": 24_000.0,
        "host_memory_mb": 3072.0,
        "utilisation": 0.9,
        "power_w": 250.0,
        "energy_wh": 2.0,
        "data_wait_share": 0.05,
        "step_seconds": {"median": 0.02, "p90": 0.025},
        **changes,
    }


def plan(**changes) -> dict:
    gpus = [
        {"name": "Tesla T4", "fits": True, "memory": {"peak": 6 * GIB, "context": GIB}, "seconds_per_step": 0.1},
        {
            "name": "GeForce RTX 3090",
            "fits": True,
            "memory": {"peak": 6 * GIB, "context": GIB // 2},
            "seconds_per_step": 0.015,
            "seconds": 40.0,
            "energy_wh": 3.0,
        },
    ]
    spec = json.loads((seed_folder(NAME, 0) / "record.json").read_text())["spec"] | {"seed": 7, "site": {"cpus": 1}}
    return {"format": 1, "gpus": gpus, "host_bytes": 2 * GIB, "record": {"spec": spec}, **changes}


def told(**changes) -> Usage | None:
    """Of the experiment, whose records are changed so, and whose `resources` are as given."""
    resources = changes.pop("resources", {})
    for seed in SEEDS:
        for key, value in changes.items():
            edit(seed_folder(NAME, seed) / "record.json", key, to=value)
    run_summarise(NAME, experiment(NAME, resources=resources))
    return usage(read_experiment(RESULTS, STUDY, NAME))


def rows(found: Usage) -> dict[str, tuple[str, str, str]]:
    return {row.label: (row.measured, row.planned, row.difference) for row in found.rows}


def asked(found: Usage) -> dict[str, tuple[str, str, str]]:
    return {line.key: (line.asked, line.used, line.better) for line in found.advice}


ON_GPU = {"device": {"type": "cuda", "name": "NVIDIA GeForce RTX 3090", "threads": 1}}


def test_a_training_on_a_cpu_shows_what_is_known_and_no_plan(page_spec):
    found = told()

    assert rows(found).keys() == {
        "Memory of the host",
        "Step, median",
        "Step, nine of ten within",
        "Waiting for data",
        "Training",
    }
    assert rows(found)["Step, median"] == ("7.10 ms", "–", "–")
    assert rows(found)["Waiting for data"][0] == "12 %"
    assert not found.is_compared


def test_a_plan_stands_beside_the_measurement_of_its_gpu(page_spec):
    Path(f"results/experiments/{NAME}/plan.json").write_text(json.dumps(plan()))
    found = told(**ON_GPU, usage=used())

    assert found.device == "GeForce RTX 3090"
    assert rows(found) == {
        "Memory of the GPU": ("5.0 GiB", "5.5 GiB", "+10 %"),
        "Memory of the host": ("3.0 GiB", "2.0 GiB", "−33 %"),
        "Step, median": ("20.0 ms", "15.0 ms", "−25 %"),
        "Step, nine of ten within": ("25.0 ms", "–", "–"),
        "Waiting for data": ("5 %", "–", "–"),
        "Training": ("34 s", "40 s", "+17 %"),
        "GPU busy": ("90 %", "–", "–"),
        "Power": ("250 W", "–", "–"),
        "Energy": ("2.00 Wh", "3.00 Wh", "+50 %"),
    }


def test_a_training_on_a_cpu_has_a_plan_too(page_spec):
    on_cpu = {"cores": 1, "precision": "32-true", "seconds_per_step": 0.0142, "seconds": 680.0}
    Path(f"results/experiments/{NAME}/plan.json").write_text(json.dumps(plan(cpu=on_cpu)))
    found = told()

    assert found.device == "the CPU"
    assert rows(found)["Step, median"] == ("7.10 ms", "14.2 ms", "+100 %")
    assert rows(found)["Training"] == ("34 s", "11 min 20 s", "20 times")
    assert rows(found)["Memory of the host"][1] == "2.0 GiB"


@pytest.mark.parametrize(
    "changes",
    [
        {"gpus": []},
        {"gpus": None, "host_bytes": None},
        {"gpus": [{"name": "GeForce RTX 3090", "memory": None}], "host_bytes": "much"},
        {"record": None},
    ],
)
def test_a_plan_that_says_less_than_it_could_is_no_error(page_spec, changes):
    Path(f"results/experiments/{NAME}/plan.json").write_text(json.dumps(plan(**changes)))
    found = told(**ON_GPU, usage=used())

    assert {name: row[1] for name, row in rows(found).items() if name != "Memory of the host"} == dict.fromkeys(
        rows(found).keys() - {"Memory of the host"}, "–"
    )


@pytest.mark.parametrize("text", ["", "[]", "{", '"plan"'])
def test_a_plan_that_cannot_be_understood_is_none(page_spec, text):
    Path(f"results/experiments/{NAME}/plan.json").write_text(text)
    assert not told().is_compared


def test_a_plan_for_another_configuration_is_not_compared(page_spec):
    other = plan()
    other["record"]["spec"]["data_loader"]["batch_size"] = 999
    Path(f"results/experiments/{NAME}/plan.json").write_text(json.dumps(other))
    assert not told(**ON_GPU, usage=used()).is_compared


def test_records_of_before_have_no_such_section(page_spec):
    assert told(usage=None) is None


def test_memory_and_time_are_asked_for_as_they_were_taken(page_spec):
    of_a_gpu = {**ON_GPU, "usage": used(host_memory_mb=9 * 1024.0)}
    found = asked(told(resources={"memory_gb": 8, "hours": 10, "gpus": 1}, wall_seconds=5400.0, **of_a_gpu))
    assert found == {"memory_gb": ("8", "9 GiB", "11.5"), "hours": ("10", "1 h 30 min", "2.5")}

    fits = told(resources={"memory_gb": 12, "hours": 3, "gpus": 1}, wall_seconds=5400.0, **of_a_gpu)
    assert asked(fits) == {"memory_gb": ("12", "9 GiB", ""), "hours": ("3", "1 h 30 min", "")}
    assert {line.why for line in fits.advice} == {"it will do"}

    large = told(resources={"memory_gb": 200, "gpus": 1}, **ON_GPU, usage=used(host_memory_mb=126.4 * 1024))
    assert asked(large)["memory_gb"] == ("200", "126 GiB", "")

    short = told(resources={"memory_gb": 9.5, "hours": 1, "gpus": 1}, wall_seconds=5400.0, **of_a_gpu)
    assert asked(short) == {"memory_gb": ("9.5", "9 GiB", "11.5"), "hours": ("1", "1 h 30 min", "2.5")}


def test_what_nobody_would_save_by_is_not_told(page_spec):
    assert asked(told()) == {"memory_gb": ("4", "0.6 GiB", ""), "hours": ("1", "37 s", "")}


def test_gpus_that_idle_and_steps_that_wait_are_told(page_spec):
    idle = {**ON_GPU, "usage": used(utilisation=0.2, data_wait_share=0.5)}
    found = told(resources={"gpus": 1}, **idle)
    assert asked(found)["gpus"] == ("1", "20 % busy", "")
    assert asked(found)["cpus"] == ("1", "50 % waiting", "2")
    resources = {"gpus": 4, "cpus": 4}
    assert asked(told(resources=resources, processes=4, **idle))["gpus"] == ("4", "20 % busy", "1")


def test_the_page_shows_both_tables(page_spec):
    Path(f"results/experiments/{NAME}/plan.json").write_text(json.dumps(plan()))
    told(**ON_GPU, usage=used(utilisation=0.2))
    report(page_spec, results=RESULTS, out=Path("results/report.html"), code="00ff" * 4)
    text = Path("results/report.html").read_text("utf-8")

    assert Page(text).problems == []
    assert "Planned for GeForce RTX 3090" in text
    assert "it mostly idles" in text
    assert text.count("What the trainings of ") == 3

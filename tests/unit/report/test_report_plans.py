"""What the page tells of a plan."""

import pytest
from jinja2 import Environment, PackageLoader, StrictUndefined

from snaketorch.errors import UserError
from snaketorch.publish import write_json
from snaketorch.report.page import FILTERS
from snaketorch.report.plans import plans
from snaketorch.report.results import Experiment

GIB = 2**30


def gpu(name: str, upper_bound: float, usable: float, **more) -> dict:
    return {
        "name": name,
        "certainty": "high",
        "fits": upper_bound <= usable,
        "tight": False,
        "memory": {"upper_bound": int(upper_bound * GIB)},
        "usable": int(usable * GIB),
        "largest_batch_size": 1024,
        "precision": "bf16-mixed",
        "seconds": 4000.0,
        "energy_wh": 380.0,
        "money": None,
        **more,
    }


PLAN = {
    "format": 1,
    "trainings": 3,
    "currency": "EUR",
    "cpu": None,
    "host_bytes": 3 * GIB,
    "disk_bytes": GIB // 2,
    "chosen": {
        "gpu": "A100",
        "gpu_model": "a100",
        "partition": "big",
        "gpus": 1,
        "memory_gb": 4.0,
        "hours": 1.75,
        "fits": True,
        "rule": "the cheapest that fits",
    },
    "gpus": [
        gpu("A100", 12.5, 78.4, money=2.0),
        gpu("Old <one>", 12.5, 7.8, largest_batch_size=None, certainty="low"),
    ],
    "advice": [{"what": "one GPU", "why": "it holds the training"}],
}


@pytest.fixture
def experiment(tmp_path) -> Experiment:
    write_json(tmp_path / "plan.json", PLAN)
    return Experiment("cnn", tmp_path, {}, "", [], {})


def shown(experiment: Experiment) -> str:
    templates = Environment(
        loader=PackageLoader("snaketorch.report"), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    templates.filters |= {function.__name__: function for function in FILTERS}
    parts = templates.get_template("parts.html").make_module({})
    chapter = {"plan": plans([experiment], ["cnn"])["cnn"]}
    return templates.get_template("plan.html").render(chapter=chapter, name="cnn", parts=parts)


def test_each_gpu_is_shown_and_the_chosen_one_is_marked(experiment):
    page = shown(experiment)

    assert "A100: the cheapest that fits" in page
    assert page.count('<span class="chip best">chosen</span>') == 1
    assert "<code>memory_gb: 4</code>, <code>hours: 1.75</code>, <code>gpu_model: a100</code>" in page
    assert "Old &lt;one&gt;" in page and "low certainty" in page
    assert "1 h 06 min" in page
    assert "are of one of 3 trainings." in page
    assert '<th scope="col" class="n">EUR</th>' in page
    assert "<strong>one GPU</strong>: it holds the training." in page


def test_a_plan_for_the_cpu_has_no_table(experiment):
    chosen = PLAN["chosen"] | {"gpu": None, "gpu_model": None, "partition": None}
    cpu = {"cores": 1, "seconds": 90.0}
    write_json(experiment.folder / "plan.json", PLAN | {"gpus": [], "advice": [], "chosen": chosen, "cpu": cpu})

    page = shown(experiment)

    assert "the CPU, or a GPU that the job sees" in page
    assert "On 1 CPU core" in page and "1 min 30 s" in page
    assert "<table" not in page and "findings" not in page


def test_only_planned_experiments_have_a_plan(experiment):
    assert plans([experiment], []) == {}


def test_a_missing_plan_is_told(experiment):
    (experiment.folder / "plan.json").unlink()

    with pytest.raises(UserError, match=r"plan\.json"):
        plans([experiment], ["cnn"])

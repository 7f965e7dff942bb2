from types import SimpleNamespace

from snaketorch.dag.several_nodes import refusal


class Resources(dict):
    """As Snakemake's: by name and as attributes."""

    def __getattr__(self, name):
        return self[name]


def job(experiment, rule="train_model", **resources):
    names = {"rule": SimpleNamespace(name=rule), "wildcards": SimpleNamespace(experiment=experiment)}
    return SimpleNamespace(**names, resources=Resources(resources))


JOBS = [job("small"), job("one", nodes=1), job("wide", nodes=2), job("wide", nodes=2), job("broad", nodes=4)]
JOBS += [job("wide", "tune_experiment", nodes=3)]


def test_a_training_on_several_nodes_is_refused_where_there_is_one():
    said = refusal(JOBS, is_local=True, environment={})
    assert "experiment broad: trainer.num_nodes: 4\n" in said
    assert "experiment wide: trainer.num_nodes: 2\n" in said
    assert "experiment wide: tune.num_nodes: 3\n" in said
    assert "profiles/slurm" in said


def test_nothing_is_said_where_the_nodes_are_at_hand():
    assert refusal(JOBS, is_local=False, environment={}) == ""
    assert refusal(JOBS, is_local=True, environment={"SLURM_JOB_ID": "7"}) == ""
    assert refusal(JOBS[:2], is_local=True, environment={}) == ""

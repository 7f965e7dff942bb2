import csv
import io
from types import SimpleNamespace

import pytest
from pytorch_lightning.callbacks import Checkpoint
from sweep_parts import DOCUMENT, space_of, sweep_of

from snaketorch.config.space import Space
from snaketorch.config.suggestions import Seeded
from snaketorch.data.manifest import Manifest
from snaketorch.errors import Interrupted
from snaketorch.provenance import digest
from snaketorch.state.checkpoints import Identity
from snaketorch.training.checkpointing.io import save
from snaketorch.training.checkpointing.store import OWN_KEY, CheckpointStore
from snaketorch.training.fit import fit
from snaketorch.training.session import Session
from snaketorch.tuning import population as populations
from snaketorch.tuning import worker
from snaketorch.tuning.bandit import Bandit
from snaketorch.tuning.donors import DONATED, TAKEN_OVER, NewValues, hand_over, take_over
from snaketorch.tuning.explore import Perturbed, build_explorer
from snaketorch.tuning.ledger import Known, Ledger
from snaketorch.tuning.population import Population, schedule_of
from snaketorch.tuning.proposals import Proposals
from snaketorch.tuning.search import build_search
from snaketorch.tuning.trial import Change, Trial, winner
from snaketorch.tuning.worker import Reports, TellMetric
from tests.unit.prepared_by_hand import write_images
from tests.unit.training_specs import spec_of

PBT = {"kind": "pbt", "perturbation_interval": 2}
EPOCHS = 6


class Spec(SimpleNamespace):
    def model_dump(self, **_):
        return DOCUMENT


class OnlyLedger:
    """A diary of the ledger alone."""

    def __init__(self, ledger, proposals):
        self.ledger, self.proposals = ledger, proposals

    def exchange(self, epoch, members, changes):
        self.ledger.exchange(epoch, [trial.number for trial in members], changes)


@pytest.fixture(scope="module")
def manifest(tmp_path_factory):
    return write_images(tmp_path_factory.mktemp("data") / "small")


@pytest.fixture
def handed(monkeypatch):
    """Who handed over to whom, by the folders' names."""
    found = []
    monkeypatch.setattr(populations, "hand_over", lambda donor, taker, epoch: found.append((donor.name, taker.name)))
    return found


def population_of(folder, samples=4, **keys):
    sweep = sweep_of(**{"num_samples": samples, "scheduler": PBT, **keys})
    ledger = Ledger(folder)
    proposals = Proposals(ledger, build_search(sweep, space_of(sweep)), samples)
    context = SimpleNamespace(
        spec=Spec(tune=sweep, trainer=SimpleNamespace(max_epochs=EPOCHS)), trial_folder=lambda key: folder / key
    )
    return Population(context, OnlyLedger(ledger, proposals))


def value_of(trial, epoch):
    """The larger the learning rate the better, so that who does well is known."""
    return trial.values["optimizer.lr"] + 0.001 * epoch


def train_segment(population, segment, value=value_of):
    ledger, trial = population.diary.ledger, segment.trial
    start = trial.epochs + 1
    if not trial.attempts:
        ledger.start(trial.number, "n1", "CPU")
    ledger.tell(trial.number, [(epoch, value(trial, epoch)) for epoch in range(start, segment.until + 1)], 1.0)
    if segment.until == EPOCHS:
        ledger.end(trial.number, "finished")
    population.release(trial.number)


def train_all(population, most=100, value=value_of):
    for _ in range(most):
        segment = population.next()
        if segment is None:
            return
        train_segment(population, segment, value)


def test_a_population_trains_from_one_comparison_to_the_next(tmp_path, handed):
    population = population_of(tmp_path)
    first = [population.next() for _ in range(5)]
    assert [(segment.trial.number, segment.until) for segment in first[:4]] == [(0, 2), (1, 2), (2, 2), (3, 2)]
    assert first[4] is None
    for segment in first[:3]:
        train_segment(population, segment)
    assert population.next() is None  # before the last has come so far
    train_segment(population, first[3])
    assert population.next().until == 4
    train_all(population)


def test_the_worst_goes_on_from_the_best(tmp_path, handed):
    population = population_of(tmp_path)
    for segment in [population.next() for _ in range(4)]:
        train_segment(population, segment)
    order = sorted(population.members, key=lambda trial: trial.values["optimizer.lr"])
    worst, best = order[0], order[-1]
    before, key = worst.values, worst.key
    population.next()
    (change,) = worst.changes
    assert (change.epoch, change.donor, change.before) == (2, best.number, before)
    assert worst.values == change.values
    assert worst.key == key  # its folder stays
    assert handed == [(best.key, key)]
    assert worst.values["model.hidden"] == best.values["model.hidden"]
    assert not any(trial.changes for trial in order[1:])


def test_who_begins_with_a_donors_weights_is_told_its_values_once(tmp_path, handed):
    population = population_of(tmp_path)
    for segment in [population.next() for _ in range(4)]:
        train_segment(population, segment)
    segments = [population.next() for _ in range(4)]
    (taker,) = [segment for segment in segments if segment.donor_values]
    assert taker.donor_values == population.diary.ledger.trials[taker.trial.changes[0].donor].first_values
    for segment in segments:
        train_segment(population, segment)
    population.next()
    assert population._donor_values(taker.trial) is None or taker.trial.changes[-1].epoch == 4


@pytest.mark.parametrize("kills", [(1,), (3, 5), (4, 6, 9)])
@pytest.mark.parametrize("kind", ["pbt", "pb2"])
def test_a_killed_population_decides_as_an_undisturbed_one(tmp_path, handed, kind, kills):
    scheduler = {"kind": kind, "perturbation_interval": 2}
    (tmp_path / "straight").mkdir()
    (tmp_path / "killed").mkdir()
    straight = population_of(tmp_path / "straight", scheduler=scheduler)
    train_all(straight)
    for most in kills:
        train_all(population := population_of(tmp_path / "killed", scheduler=scheduler), most)
        population.diary.ledger.close()
    last = population_of(tmp_path / "killed", scheduler=scheduler)
    train_all(last)

    def outcome(population):
        trials = population.diary.ledger.all
        return [(trial.values, trial.changes, trial.curve, trial.status) for trial in trials]

    assert outcome(last) == outcome(straight)
    assert any(trial.changes for trial in last.diary.ledger.all)
    assert {trial.status for trial in last.diary.ledger.all} == {"finished"}


def test_a_trial_without_a_number_is_the_worst(tmp_path, handed):
    population = population_of(tmp_path)
    best = max(population.members, key=lambda trial: trial.values["optimizer.lr"])
    lost = best.number
    train_all(population, 4, lambda trial, epoch: None if trial.number == lost else value_of(trial, epoch))
    population.next()
    assert best.changes[0].donor != lost


def test_those_that_failed_are_compared_no_more(tmp_path, handed):
    population = population_of(tmp_path)
    for segment in [population.next() for _ in range(4)]:
        if segment.trial.number == 1:
            population.diary.ledger.start(1, "n1", "CPU")
            population.diary.ledger.end(1, "failed", "no such layer")
            population.release(1)
        else:
            train_segment(population, segment)
    train_all(population)
    assert population.is_over
    assert not population.members[1].changes
    assert 1 not in {change.donor for trial in population.members for change in trial.changes}


def test_one_trial_has_nobody_to_go_on_from(tmp_path, handed):
    population = population_of(tmp_path, samples=1)
    train_all(population)
    assert population.is_over and handed == []


def test_the_exchanges_are_known_to_another_process(tmp_path, handed):
    population = population_of(tmp_path)
    train_all(population)
    assert Known(tmp_path).all == population.diary.ledger.all


def test_the_schedule_follows_the_weights():
    first = Trial(0, {"lr": 0.3}, curve=[(6, 0.1)], changes=[Change(4, 1, {"lr": 0.1}, {"lr": 0.3})])
    second = Trial(
        1, {"lr": 9.0}, changes=[Change(2, 2, {"lr": 0.5}, {"lr": 0.2}), Change(6, 0, {"lr": 0.2}, {"lr": 9.0})]
    )
    third = Trial(2, {"lr": 0.25})
    assert schedule_of(first, {0: first, 1: second, 2: third}) == [
        {"from_epoch": 1, "trial": 2, "values": {"lr": 0.25}},
        {"from_epoch": 3, "trial": 1, "values": {"lr": 0.2}},
        {"from_epoch": 5, "trial": 0, "values": {"lr": 0.3}},
    ]


def test_what_a_trial_did_before_it_took_over_does_not_count():
    trial = Trial(
        0, {"lr": 0.3}, curve=[(1, 0.9), (2, 0.8), (3, 0.5)], changes=[Change(2, 1, {"lr": 0.1}, {"lr": 0.3})]
    )
    assert trial.best("max") == (3, 0.5)


def test_trials_that_a_budget_cut_off_count_where_none_is_done():
    begun = Trial(0, {"lr": 0.3}, status="running", curve=[(1, 0.9)])
    assert winner([begun, Trial(1, {"lr": 0.4})], "max") is begun
    done = Trial(2, {"lr": 0.5}, status="finished", curve=[(1, 0.2)])
    assert winner([begun, done], "max") is done


@pytest.mark.parametrize("resample", [0.0, 1.0])
def test_perturbed_values_stay_in_the_space(resample):
    ranges = {
        "optimizer.lr": {"loguniform": [1e-3, 1e-1]},
        "optimizer.momentum": {"quniform": [0.5, 0.9, 0.1]},
        "optimizer.weight_decay": {"choice": [0.0, 0.01, 0.1]},
        "model.dropout": {"uniform": [0.0, 0.5]},
    }
    space = Space(sweep_of(space=ranges).space, DOCUMENT)
    mutable = sweep_of(space=ranges, scheduler=PBT).mutable
    assert mutable == ["optimizer.lr", "optimizer.momentum", "optimizer.weight_decay"]
    values = {"optimizer.lr": 0.09, "optimizer.momentum": 0.5, "optimizer.weight_decay": 0.01, "model.dropout": 0.1}
    explorer = Perturbed(space, mutable, resample)
    found = [explorer.explore(Trial(0, values), 2, f"choice {number}", []) for number in range(40)]
    assert all(space.holds(new) and new["model.dropout"] == 0.1 for new in found)
    for path in mutable:
        assert len({new[path] for new in found}) >= 2, path
    if not resample:
        assert sorted({new["optimizer.lr"] for new in found}) == pytest.approx([0.09 * 0.8, 0.1])
        assert {round(new["optimizer.momentum"], 9) for new in found} == {0.5, 0.6}


def test_bandits_go_where_the_metric_rose(tmp_path, handed):
    """Of a rate from 0 to 1 those near 0.8 raise the metric most."""
    sweep = sweep_of(
        space={"optimizer.lr": {"uniform": [0.0, 1.0]}}, scheduler={"kind": "pb2", "perturbation_interval": 1}
    )
    ledger = Ledger(tmp_path)
    for rate in (0.05, 0.2, 0.35, 0.5, 0.65, 0.8, 0.95):
        trial = ledger.propose({"optimizer.lr": rate}, "searched")
        ledger.tell(trial.number, [(epoch, epoch * (1 - abs(rate - 0.8))) for epoch in (1, 2, 3)], 1.0)
    bandit = Bandit(Space(sweep.space, DOCUMENT), sweep, ledger)
    found = [bandit.explore(ledger.trials[5], 3, f"choice {n}", [])["optimizer.lr"] for n in range(4)]
    assert all(0.6 < rate <= 1 for rate in found)
    again = bandit.explore(ledger.trials[5], 3, "choice 0", [])["optimizer.lr"]
    assert again == found[0]
    other = bandit.explore(ledger.trials[5], 3, "choice 0", [{"optimizer.lr": found[0]}])["optimizer.lr"]
    assert 0 <= other <= 1


CONDITIONAL = {
    "optimizer.kind": {"choice": ["sgd", "adamw"]},
    "optimizer.lr": {"loguniform": [1e-3, 1e-1]},
    "optimizer.momentum": {"uniform": [0.1, 0.9], "when": {"optimizer.kind": "sgd"}},
    "optimizer.weight_decay": {"uniform": [0.0, "optimizer.lr"]},
}
DECIDING = {
    "optimizer.weight_decay": {"choice": [0.0, 0.01, 0.1]},
    "optimizer.momentum": {"uniform": [0.1, 0.9], "when": {"optimizer.weight_decay": [0.01, 0.1]}},
    "optimizer.lr": {"loguniform": [1e-3, 1e-1]},
}


@pytest.mark.parametrize("scheduler", ["pbt", "pb2"])
@pytest.mark.parametrize("ranges", [CONDITIONAL, DECIDING], ids=["conditional", "deciding"])
def test_values_under_conditions_stay_in_the_space(tmp_path, scheduler, ranges):
    sweep = sweep_of(space=ranges, scheduler={"kind": scheduler, "perturbation_interval": 1})
    space, ledger = Space(sweep.space, DOCUMENT), Ledger(tmp_path)
    for number in range(6):
        values = space.draw(Seeded(0, number))
        trial = ledger.propose(values, "searched")
        rise = 5 * values["optimizer.weight_decay"] - values["optimizer.lr"]
        ledger.tell(trial.number, [(epoch, epoch * rise) for epoch in (1, 2, 3)], 1.0)
    explorer = build_explorer(sweep, space, ledger)
    assert len({tuple(trial.values) for trial in ledger.all}) == 2
    for epoch in (1, 3):
        for trial in ledger.all:
            new = explorer.explore(trial, epoch, f"choice {trial.number}", [])
            assert space.holds(new), (trial.values, new)
            assert new["optimizer.lr"] != trial.values["optimizer.lr"]


SCHEDULES = {
    "none": {},
    "cosine": {"warmup_epochs": 1, "min_lr": 0.01},
    "one_cycle": {},
    "step": {"step_size": 2, "gamma": 0.5},
}


@pytest.mark.parametrize("kind", SCHEDULES)
def test_a_schedule_goes_on_where_it_was_at_another_height(tmp_path, manifest, kind):
    def spec(**optimizer):
        schedule = {"kind": kind, **SCHEDULES[kind]}
        training = {"model": {"kind": "mlp", "hidden": [4]}, "trainer": {"max_epochs": 4}, "lr_scheduler": schedule}
        given = {"kind": "sgd", "lr": 0.1, "momentum": 0.9, "weight_decay": 0.0, **optimizer}
        return spec_of({"kind": "image_classification"}, training.pop("model"), optimizer=given, **training)

    def train(spec, folder, *also):
        folder.mkdir(exist_ok=True)
        return fit(spec, dataset, {}, Session(folder, tmp_path, None, also=also))

    def rates(fitted):
        return [float(row["lr"]) for row in csv.DictReader(io.StringIO(fitted.history))]

    dataset, old = Manifest.load(manifest), spec()
    new = spec(lr=0.05, momentum=0.8, weight_decay=0.01)
    low, high = (rates(train(each, tmp_path / f"straight-{each.optimizer.lr}")) for each in (new, old))
    with pytest.raises(Interrupted):
        train(old, tmp_path / "donor", TellMetric("val/loss", SimpleNamespace(known=[], add=lambda *_: None), until=2))
    hand_over(tmp_path / "donor", tmp_path / "taker", 2)
    training = Identity(digest(new.model_dump(mode="json")), "", dataset.digest)
    take_over(tmp_path / "taker", training, old.optimizer.lr)
    seen = Seen()
    taken = train(new, tmp_path / "taker", NewValues(new), seen)
    assert rates(taken) == pytest.approx([*high[:2], *low[2:]], rel=1e-6)
    decays = {group["params"][0].ndim > 1: group["weight_decay"] for group in seen.groups}
    assert decays == {True: 0.01, False: 0.0}
    if kind != "one_cycle":  # which moves the momentum itself
        assert {group["momentum"] for group in seen.groups} == {0.8}


def test_a_part_that_was_saved_but_not_told_is_told_and_not_trained_again(tmp_path, manifest, monkeypatch):
    """As after a kill between the two."""
    found = []
    monkeypatch.setattr(worker.tune, "report", lambda result: found.extend(result["points"]))
    spec = spec_of({"kind": "image_classification"}, {"kind": "mlp", "hidden": [4]}, trainer={"max_epochs": 4})
    told = []
    for known in ([], [(1, 0.5)]):
        found.clear()
        reports = Reports(known, frozenset({1, 2}))
        with pytest.raises(Interrupted):
            session = Session(tmp_path, tmp_path, None, also=(TellMetric("val/loss", reports, until=2),))
            fit(spec, Manifest.load(manifest), {}, session)
        told.append([*found])
    assert [epoch for epoch, _ in told[0]] == [1, 2]
    assert told[1] == told[0][1:]


class Seen(Checkpoint):
    """What the optimizer has at the end."""

    def on_train_end(self, trainer, pl_module):
        self.groups = [dict(group) for group in trainer.optimizers[0].param_groups]


def checkpoint_in(folder, training, rate=0.1):
    store = CheckpointStore(folder, training, "")
    folder.mkdir(exist_ok=True)
    facts = store.facts(12, 2)
    save({OWN_KEY: facts, "rate": rate}, store.path(facts))
    store.add(facts)
    return store.path(facts)


def test_a_donated_checkpoint_becomes_the_takers_own(tmp_path):
    donor, taker = Identity("spec a", "code", "data"), Identity("spec b", "code", "data")
    given = checkpoint_in(tmp_path / "donor", donor, rate=0.5)
    old = checkpoint_in(tmp_path / "taker", Identity("spec c", "code", "data"))
    hand_over(tmp_path / "donor", tmp_path / "taker", 2)
    assert given.samefile(tmp_path / "taker" / DONATED)
    for _ in range(2):  # the second time does nothing
        take_over(tmp_path / "taker", taker, 0.5)
    store = CheckpointStore(tmp_path / "taker", taker, "")
    import torch

    content = torch.load(store.newest(), weights_only=True)
    assert (content["rate"], content[TAKEN_OVER], content[OWN_KEY]["epoch"]) == (0.5, 0.5, 2)
    assert sorted(path.name for path in (tmp_path / "taker").glob("*.ckpt")) == [old.name]
    assert CheckpointStore(tmp_path / "donor", donor, "").newest() == given


def test_a_donor_without_a_checkpoint_is_an_error(tmp_path):
    from snaketorch.errors import CheckpointsLost

    with pytest.raises(CheckpointsLost, match="no checkpoint of epoch 2 that another trial"):
        hand_over(tmp_path / "donor", tmp_path / "taker", 2)

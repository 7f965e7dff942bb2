import logging
import sys
from contextlib import closing
from pathlib import Path

import pytest
import torch
from prepared_by_hand import write_images, write_sequences
from training_specs import spec_of
from trainings import Killed

from snaketorch.config.space import Space
from snaketorch.config.specs import TuneSpec
from snaketorch.errors import Interrupted, UserError
from snaketorch.journal import Run
from snaketorch.signals import Noted
from snaketorch.training.checkpointing.resume_points import Every
from snaketorch.tuning.context import SweepContext
from snaketorch.tuning.diary import Diary
from snaketorch.tuning.ends import Ends
from snaketorch.tuning.engine import train_trials
from snaketorch.tuning.ledger import Known, Ledger
from snaketorch.tuning.progress import Progress
from snaketorch.tuning.proposals import Proposals
from snaketorch.tuning.room import Room
from snaketorch.tuning.runs import SweepRuns
from snaketorch.tuning.search import build_search
from snaketorch.tuning.vectorised import store, waves
from snaketorch.tuning.vectorised.conductor import GROUPS
from snaketorch.tuning.vectorised.group import Group
from snaketorch.tuning.vectorised.sweep import can_vectorise

CLASSES = {"kind": "image_classification"}
SPACE = {
    "optimizer.lr": {"loguniform": [1e-3, 1.0]},
    "model.dropout": {"uniform": [0.0, 0.5]},
    "data_loader.batch_size": {"choice": [10, 20]},
}
ASHA = {"kind": "asha", "grace_period": 1, "reduction_factor": 2}


def sweep_spec(tune=None, task=CLASSES, model=None, **changes) -> TuneSpec:
    trainer = {"precision": "32-true", "max_epochs": 4, **changes.pop("trainer", {})}
    spec = spec_of(task, model or {"kind": "mlp", "hidden": [8]}, trainer=trainer, **changes)
    given = {"metric": "val/loss", "mode": "min", "num_samples": 12, "search_alg": {"kind": "random"}}
    tune = {**given, "scheduler": ASHA, "space": SPACE, **(tune or {})}
    return TuneSpec.model_validate({**spec.model_dump(mode="json"), "tune": tune})


def context_of(spec: TuneSpec, folder: Path, manifest: Path, nodes: int = 1) -> SweepContext:
    folder.mkdir(parents=True, exist_ok=True)
    return SweepContext(spec, manifest, {}, Path.cwd(), folder, "code", Room(num_nodes=nodes), Every(), None)


def attempt(context: SweepContext, signals: Noted | None = None) -> dict:
    """One attempt at a sweep; what the record says of it."""
    options, spec = context.spec.tune, context.spec
    with closing(Ledger(context.folder)) as ledger:
        space = Space(options.space, spec.model_dump(mode="json", exclude={"tune"}))
        ends = Ends(ledger, signals or Noted(), None, options.time_budget_s, 1.0, options.num_samples)
        proposals = Proposals(ledger, build_search(options, space), options.num_samples)
        progress = Progress(ledger, options.metric, options.mode, options.num_samples, None)
        run = Run(key="sweep", name="sweep", tags={"snaketorch.experiment": "small"})
        runs = SweepRuns(context.folder / "journal", run, options.metric, options.mode, ledger.all)
        how = train_trials(context, Diary(context, ledger, proposals, progress, runs), ends)
        ends.check()
        return how


def told(context: SweepContext) -> list[tuple]:
    """All that counts of each trial."""
    return [(trial.number, trial.values, trial.status, trial.curve, trial.error) for trial in Known(context.folder).all]


@pytest.fixture
def no_ray(monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)


@pytest.fixture
def images(tmp_path) -> Path:
    return write_images(tmp_path / "data")


@pytest.mark.usefixtures("no_ray")
def test_every_trial_is_trained_side_by_side_without_ray(images, tmp_path):
    context = context_of(sweep_spec(), tmp_path / "sweep", images)
    how = attempt(context)
    assert (how["engine"], how["groups"]) == ("vectorised", 2)
    trials = Known(context.folder).all
    assert len(trials) == 12
    assert {trial.status for trial in trials} == {"finished", "stopped"}
    assert all(trial.epochs == 4 for trial in trials if trial.status == "finished")
    assert all(trial.epochs in (1, 2) for trial in trials if trial.status == "stopped")
    assert all(trial.attempts == 1 and trial.seconds > 0 and trial.device for trial in trials)
    assert not [*(context.folder / "groups").iterdir()]


@pytest.mark.usefixtures("no_ray")
def test_a_killed_sweep_goes_on_bit_for_bit(images, tmp_path, monkeypatch):
    monkeypatch.setattr(store, "TIME_SHARE", float("inf"))
    monkeypatch.setattr(waves, "ROWS", 8)
    undisturbed = context_of(sweep_spec(), tmp_path / "undisturbed", images)
    attempt(undisturbed)
    disturbed = context_of(sweep_spec(), tmp_path / "disturbed", images)
    step, steps, kills = Group._step, 0, 0

    def dies(group, batch):
        nonlocal steps
        steps += 1
        if steps % 7 == 0:
            raise Killed
        step(group, batch)

    monkeypatch.setattr(Group, "_step", dies)
    while True:
        try:
            attempt(disturbed)
            break
        except Killed:
            kills += 1
    assert kills > 5
    assert told(disturbed) == told(undisturbed)
    assert Known(disturbed.folder).order == Known(undisturbed.folder).order


@pytest.mark.usefixtures("no_ray")
def test_a_signal_saves_the_group_where_it_is(images, tmp_path, monkeypatch):
    spec = sweep_spec({"scheduler": {"kind": "fifo"}})
    undisturbed = context_of(spec, tmp_path / "undisturbed", images)
    attempt(undisturbed)
    disturbed = context_of(spec, tmp_path / "disturbed", images)
    monkeypatch.setattr("snaketorch.tuning.vectorised.training.LOOK_SECONDS", 0.0)
    step, signals, positions = Group._step, Noted(), []

    def signalled(group, batch):
        positions.append(group.steps)
        if len(positions) == 5:
            signals.ended_by = "SIGTERM"
        step(group, batch)

    monkeypatch.setattr(Group, "_step", signalled)
    with pytest.raises(Interrupted):
        attempt(disturbed, signals)
    attempt(disturbed)
    assert positions[:7] == [0, 1, 2, 3, 4, 5, 6]  # none of them twice
    assert told(disturbed) == told(undisturbed)


@pytest.mark.usefixtures("no_ray")
def test_more_samples_continue_a_sweep(images, tmp_path):
    fewer = context_of(sweep_spec({"num_samples": 9}), tmp_path / "sweep", images)
    attempt(fewer)
    before = told(fewer)
    attempt(context_of(sweep_spec(), tmp_path / "sweep", images))
    assert told(fewer)[:9] == before
    assert len(told(fewer)) == 12


@pytest.mark.usefixtures("no_ray")
def test_a_search_that_learns_is_asked_wave_by_wave(images, tmp_path, monkeypatch):
    monkeypatch.setattr(waves, "ROWS_OF_A_LEARNER", 8)
    tune = {"search_alg": {"kind": "optuna", "n_startup_trials": 4}, "num_samples": 16}
    context = context_of(sweep_spec(tune), tmp_path / "sweep", images)
    how = attempt(context)
    assert how["at_once"] <= 8
    assert len(told(context)) == 16


@pytest.mark.usefixtures("no_ray")
def test_a_trial_that_diverges_fails_alone(tmp_path):
    images = write_images(tmp_path / "data", numbers=True)
    space = {"optimizer.lr": {"grid": [0.001, 0.002, 0.003, 0.004, 0.005, 0.006, 0.007, 10.0]}}
    tune = {"space": space, "search_alg": {"kind": "grid"}, "num_samples": None, "scheduler": {"kind": "fifo"}}
    context = context_of(sweep_spec(tune, {"kind": "regression"}), tmp_path / "sweep", images)
    attempt(context)
    trials = Known(context.folder).all
    assert [trial.status for trial in trials] == [*["finished"] * 7, "failed"]
    assert "not finite in step" in trials[-1].error


@pytest.mark.usefixtures("no_ray")
def test_rows_stop_early_each_by_itself(images, tmp_path):
    tune = {"space": {"optimizer.lr": {"grid": [1e-9, 2e-9, 0.01, 0.02, 0.03, 0.04, 0.05, 0.06]}}}
    tune |= {"search_alg": {"kind": "grid"}, "num_samples": None, "scheduler": {"kind": "fifo"}}
    stops = {"monitor": "val/loss", "patience": 1, "min_delta": 1e-4}
    context = context_of(sweep_spec(tune, early_stopping=stops), tmp_path / "sweep", images)
    attempt(context)
    trials = Known(context.folder).all
    assert {trial.status for trial in trials} == {"finished"}
    assert [trial.epochs for trial in trials[:2]] == [2, 2]
    assert max(trial.epochs for trial in trials) == 4


@pytest.mark.usefixtures("no_ray")
def test_a_group_that_is_too_large_for_the_memory_is_halved(images, tmp_path, monkeypatch):
    step = Group._step

    def has_little_memory(group, batch):
        if group.steps == 8 and len(group.specs) > 3:
            raise torch.OutOfMemoryError("too little")
        if group.first.data_loader.batch_size == 20 and group.specs[0].optimizer.lr == first_rate:
            raise torch.OutOfMemoryError("too little for this one")
        step(group, batch)

    tune = {"scheduler": {"kind": "fifo"}}
    undisturbed = context_of(sweep_spec(tune), tmp_path / "undisturbed", images)
    attempt(undisturbed)
    trials = Known(undisturbed.folder).all
    poor = next(trial for trial in trials if trial.values["data_loader.batch_size"] == 20)
    first_rate = poor.values["optimizer.lr"]
    monkeypatch.setattr(Group, "_step", has_little_memory)
    little = context_of(sweep_spec(tune), tmp_path / "little", images)
    attempt(little)
    assert Known(little.folder).trials[poor.number].status == "out_of_memory"
    for ours, theirs in zip(Known(little.folder).all, trials, strict=True):
        if ours.number != poor.number:
            assert ours.status == "finished"
            assert [epoch for epoch, _ in ours.curve] == [1, 2, 3, 4]
            assert ours.last == pytest.approx(theirs.last, rel=1e-4)


REASONS = {
    "trials": ({"tune": {"num_samples": 4}}, "too few"),
    "scheduler": ({"tune": {"scheduler": {"kind": "median"}}}, "median decides about one trial"),
    "plateau": ({"lr_scheduler": {"kind": "plateau"}}, "plateau"),
    "precision": ({"trainer": {"precision": "bf16-mixed"}}, "trainer.precision"),
    "any number": ({"tune": {"space": {"task.label_smoothing": {"uniform": [0, 0.5]}}}}, "may be any number"),
    "many": ({"tune": {"space": {"data_loader.batch_size": {"randint": [8, 64]}}}}, "more than 8 groups"),
    "work": ({"model": {"kind": "mlp", "hidden": [2048, 2048]}}, "operations a step"),
}


@pytest.mark.parametrize(("changes", "reason"), REASONS.values(), ids=REASONS)
def test_there_are_reasons_to_train_each_by_itself(changes, reason, images, tmp_path):
    assert reason in can_vectorise(context_of(sweep_spec(**changes), tmp_path / "sweep", images))


def test_recurrent_networks_are_trained_by_themselves(tmp_path):
    sequences = write_sequences(tmp_path / "data")
    spec = sweep_spec(task={"kind": "sequence_classification"}, model={"kind": "lstm", "hidden": 8})
    assert "one network at a time" in can_vectorise(context_of(spec, tmp_path / "sweep", sequences))


def test_a_network_that_torch_cannot_batch_is_found_by_trying(images, tmp_path, monkeypatch):
    from snaketorch.models.mlp import Mlp

    forward = Mlp.forward
    monkeypatch.setattr(Mlp, "forward", lambda self, *sample: forward(self, *sample) * float(self.head.bias.sum()))
    assert "model.kind: mlp" in can_vectorise(context_of(sweep_spec(), tmp_path / "sweep", images))


def test_a_network_whose_attention_shares_its_dropout_is_trained_by_itself_where_that_is_tuned(tmp_path):
    sequences, task = write_sequences(tmp_path / "data"), {"kind": "sequence_classification"}
    model = {"kind": "transformer", "hidden": 8, "heads": 2, "layers": 1, "feedforward": 8, "dropout": 0.1}
    rate = {"optimizer.lr": {"loguniform": [1e-3, 1.0]}}
    for space, reason in {
        "rate": (rate, None),
        "dropout": (rate | {"model.dropout": {"uniform": [0.0, 0.5]}}, "a dropout that is the same in all rows"),
        "section": ({"model": {"choice": [model, model | {"dropout": 0.3}]}}, "a dropout that is the same in all rows"),
    }.values():
        context = context_of(sweep_spec({"space": space}, task, model), tmp_path / "sweep", sequences)
        found = can_vectorise(context)
        assert found is None if reason is None else reason in found


def test_several_nodes_have_no_common_process(images, tmp_path):
    context = context_of(sweep_spec(), tmp_path / "sweep", images, nodes=2)
    assert "tune.num_nodes: 2" in can_vectorise(context)


def test_what_was_begun_side_by_side_goes_on_so(images, tmp_path):
    context = context_of(sweep_spec({"num_samples": 4}), tmp_path / "sweep", images)
    (context.folder / GROUPS).mkdir()
    assert can_vectorise(context) is None


def test_what_is_asked_for_and_impossible_is_refused(images, tmp_path):
    spec = sweep_spec({"vectorise": True}, lr_scheduler={"kind": "plateau"})
    with pytest.raises(UserError, match="plateau waits for what a trial measures; allowed: auto"):
        attempt(context_of(spec, tmp_path / "sweep", images))


def test_the_fallback_says_its_reason(images, tmp_path, monkeypatch, caplog):
    monkeypatch.setattr("snaketorch.tuning.engine._through_ray", lambda *_: {"engine": "ray"})
    context = context_of(sweep_spec({"num_samples": 2}), tmp_path / "sweep", images)
    with caplog.at_level(logging.INFO, "snaketorch"):
        how = attempt(context)
    assert how == {"engine": "ray", "not_vectorised": "2 trials are too few for it to pay"}
    assert "2 trials are too few" in caplog.text

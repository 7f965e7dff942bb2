"""Why the trials of a sweep cannot be trained side by side, as far as their configuration tells."""

from collections.abc import Iterator, Sequence
from itertools import islice

from snaketorch.config.alike import is_own_of_row, signature, train_spec
from snaketorch.config.space import Space
from snaketorch.config.specs import TrainSpec, TuneSpec

MOST_NETWORKS = 8
"""Kinds of groups: a wave of trials is shared out among them, and small groups gain little."""

NO_NETWORKS = {
    "rnn": "torch computes recurrent layers for one network at a time",
    "lstm": "torch computes recurrent layers for one network at a time",
    "gru": "torch computes recurrent layers for one network at a time",
}
NO_TASKS = {
    "gan": "several networks are trained against each other",
    "language_modelling": "it writes texts as it learns",
}


def reason_against(spec: TuneSpec, num_nodes: int) -> str | None:
    """Why trials cannot be trained side by side; None where the configuration has nothing against it.

    Args:
        spec: The sweep.
        num_nodes: Of its job.
    """
    if num_nodes > 1:
        return f"tune.num_nodes: {num_nodes}, and this is done by one process"
    if reason := reason_of_sweep(spec):
        return reason
    networks = networks_of(spec)
    if isinstance(networks, str):
        return networks
    trainings = [*networks, *_schedules_of(spec)]
    return next(filter(None, map(reason_of_training, trainings)), None)


def reason_of_sweep(spec: TuneSpec) -> str | None:
    """What of the sweep itself speaks against it; None where nothing does."""
    scheduler = spec.tune.scheduler
    if scheduler.kind not in ("fifo", "asha"):
        return f"tune.scheduler.kind: {scheduler.kind} decides about one trial at a time"
    if scheduler.kind == "asha" and scheduler.brackets > 1:
        return f"tune.scheduler.brackets: {scheduler.brackets} groups of trials have other grace periods"
    return None


def reason_of_training(spec: TrainSpec) -> str | None:
    """What of a training speaks against having others beside it; None where nothing does."""
    trainer = spec.trainer
    reasons = {
        f"task.kind: {spec.task.kind}: {NO_TASKS.get(spec.task.kind)}": spec.task.kind in NO_TASKS,
        f"model.kind: {spec.model.kind}: {NO_NETWORKS.get(spec.model.kind)}": spec.model.kind in NO_NETWORKS,
        "it starts from trained weights (transfer, model.pretrained)": spec.transfer or spec.model.pretrained,
        "it needs the model of another experiment": spec.task.upstream,
        "it averages weights (weight_averaging)": spec.weight_averaging,
        "lr_scheduler.kind: plateau waits for what a trial measures": spec.lr_scheduler.kind == "plateau",
        "each trial trains on several devices": trainer.processes > 1,
        f"trainer.precision: {trainer.precision}, and this computes in 32 bits": trainer.precision
        not in ("auto", "32-true"),
        "trainer.memory_format: channels_last has no room for rows": trainer.memory_format == "channels_last",
        "trainer.compile: true compiles one network": trainer.compile,
        "trainer.gradient_checkpointing: true computes one network twice": trainer.gradient_checkpointing,
        "trainer.accumulate_grad_batches: a step here is of one batch": trainer.accumulate_grad_batches > 1,
        f"trainer.on_non_finite_loss: {trainer.on_non_finite_loss}": trainer.on_non_finite_loss != "stop",
    }
    return next((reason for reason, holds in reasons.items() if holds), None)


def networks_of(spec: TuneSpec) -> Sequence[TrainSpec] | str:
    """A training of each kind of group that the space has; or why there are too many.

    Tuned keys of which rows may have values of their own make no further kind.
    """
    space = Space(spec.tune.space, spec.model_dump(mode="json", exclude={"tune"}))
    deciding = [path for path in space.order if not is_own_of_row(path)]
    first = train_spec(spec, next(iter(space.every(corners=True))))
    found = {signature(first): first}
    for path in deciding:
        domain = spec.tune.space[path]
        if domain.options is None and not domain.whole:
            return f"{path} may be any number, and each makes a group of its own"
    try:
        combinations = islice(space.only(deciding).every(), 100 * MOST_NETWORKS)
        for values in combinations if deciding else ():
            one = train_spec(spec, values)
            found.setdefault(signature(one), one)
            if len(found) > MOST_NETWORKS:
                keys = ", ".join(deciding)
                return f"the values of {keys} make more than {MOST_NETWORKS} groups of trials that are alike"
    except (TypeError, ValueError) as error:
        return f"the groups of {', '.join(deciding)} cannot be listed: {' '.join(str(error).split())}"
    return [*found.values()]


def _schedules_of(spec: TuneSpec) -> Iterator[TrainSpec]:
    """A training with each learning rate schedule that the space has; rows of one group may have different ones."""
    space = Space(spec.tune.space, spec.model_dump(mode="json", exclude={"tune"}))
    chosen = [path for path in space.order if path.partition(".")[0] == "lr_scheduler"]
    for values in space.only(chosen).every(corners=True) if chosen else ():
        yield train_spec(spec, values)

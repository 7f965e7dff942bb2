"""The trials of a sweep through Ray Tune."""

import logging
import tempfile
from pathlib import Path

from ray import tune
from ray.tune import FailureConfig, RunConfig, TuneConfig, Tuner
from ray.tune.experiment import Trial

from snaketorch.tuning.bookkeeper import Bookkeeper
from snaketorch.tuning.context import SweepContext
from snaketorch.tuning.diary import Diary
from snaketorch.tuning.ends import Ends
from snaketorch.tuning.population import Population
from snaketorch.tuning.ray_population import NextSegments
from snaketorch.tuning.ray_search import NextTrials
from snaketorch.tuning.ray_starts import starts_end
from snaketorch.tuning.schedulers import build_scheduler, pauses, remember
from snaketorch.tuning.worker import run_trial


def sweep(context: SweepContext, diary: Diary, ends: Ends, folder: Path) -> None:
    """Trains trial after trial until the search has no more, or the sweep ends.

    Args:
        context: What the trials are told.
        diary: Takes all that is learnt.
        ends: Says when there are to be no more.
        folder: For what Ray Tune writes, which nobody needs afterwards.
    """
    logging.getLogger("ray").setLevel(logging.ERROR)  # it misses files that it was told not to write
    with starts_end():
        _tune(context, diary, ends, folder)
        # who lost its process while it started, when there were no other trials left to begin
        while diary.proposals.has_waiting and not ends.is_over():
            _tune(context, diary, ends, folder)


def _tune(context: SweepContext, diary: Diary, ends: Ends, folder: Path) -> None:
    spec, room = context.spec, context.room
    is_population = spec.tune.scheduler.kind in ("pbt", "pb2")
    search = (
        NextSegments(Population(context, diary), ends.is_over)
        if is_population
        else NextTrials(diary.proposals, ends.is_over)
    )
    of_bohb = spec.tune.search_alg.kind == "bohb"
    scheduler = build_scheduler(
        spec.tune.scheduler, spec.tune.mode, spec.trainer.max_epochs, at_once=room.at_once, of_bohb=of_bohb
    )
    remember(scheduler, diary.ledger.over)
    tuner = Tuner(
        tune.with_resources(tune.with_parameters(run_trial, context=context), {"cpu": room.cpu, "gpu": room.gpu}),
        tune_config=TuneConfig(
            search_alg=search,
            scheduler=scheduler,
            num_samples=-1,  # until the search has no more
            max_concurrent_trials=None if pauses(spec.tune.scheduler) else room.at_once,
            reuse_actors=True,  # a process imports torch once, and not for each trial
            trial_name_creator=_name,
            trial_dirname_creator=_name,
        ),
        run_config=RunConfig(
            name="sweep",
            storage_path=tempfile.mkdtemp(dir=folder),
            failure_config=FailureConfig(max_failures=spec.tune.max_failures),
            callbacks=[Bookkeeper(search.of_ray, diary, ends, context)],
            verbose=0,
        ),
    )
    tuner.fit()


def _name(trial: Trial) -> str:
    until = trial.config["until"]
    return f"trial-{trial.config['number']}" + (f"-until-{until}" if until else "")

"""Processes of trainings, ready for one after the other: to import what they need takes the longest, and is done once.

It reads a line of JSON for each training, and answers each with a line: how it ended in all of its processes.
"""

import json
import math
import os
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from unittest.mock import patch

import pytest
import torch

from snaketorch.config.specs import TrainSpec
from snaketorch.data.loading.seeds import stable_seed
from snaketorch.launch.variables import LOCAL_RANK
from snaketorch.tasks.classification import Classification
from snaketorch.tasks.gan import Gan
from snaketorch.training import callbacks, meetings
from snaketorch.training import train as step
from snaketorch.training.checkpointing import resume_points
from snaketorch.training.checkpointing.resume_points import Every
from tests.unit.little_memory import little_memory

BEGIN = "\x01"
"""Of a line with an answer, among those that libraries print."""


class Killed(BaseException):
    """Stands for a kill: nothing of the training gets to react to it."""


class Rank:
    """One process of a group, made of this one as it is, with all that it has imported."""

    def __init__(self, rank: int, devices: int):
        (jobs, self._jobs), (self._answers, answers) = os.pipe(), os.pipe()
        self._pid = os.fork()
        if self._pid:
            os.close(jobs), os.close(answers)
            return
        os.close(self._jobs), os.close(self._answers)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        if devices > 1:
            os.environ |= {"MASTER_ADDR": "127.0.0.1", LOCAL_RANK: str(rank)}
        try:
            with os.fdopen(jobs) as lines, os.fdopen(answers, "w") as told:
                for line in lines:
                    told.write(json.dumps(_answer(json.loads(line))) + "\n")
                    told.flush()
        finally:
            os._exit(0)

    def begin(self, job: dict) -> None:
        os.write(self._jobs, (json.dumps(job) + "\n").encode())

    def end(self) -> str:
        answer = b""
        while not answer.endswith(b"\n"):
            more = os.read(self._answers, 1 << 16)
            if not more:
                return "it died"
            answer += more
        return json.loads(answer)

    def leave(self) -> None:
        """Lets it end; those that came before it can only end after it, for it has their pipes open too."""
        os.close(self._jobs)
        os.waitpid(self._pid, 0)


def serve() -> None:
    torch.set_num_threads(1)
    groups: dict[int, list[Rank]] = {}
    for line in sys.stdin:
        job = json.loads(line)
        devices, is_fresh = job.pop("devices"), job.pop("fresh")
        if devices not in groups:
            groups[devices] = [Rank(rank, devices) for rank in range(devices)]
        for rank in groups[devices]:
            rank.begin(job)
        answers = {rank.end() for rank in groups[devices]}
        print(BEGIN + json.dumps("\n".join(sorted(answers))), flush=True)
        if is_fresh:
            _end(groups)
    _end(groups)


def _end(groups: dict[int, list[Rank]]) -> None:
    for rank in reversed([rank for ranks in groups.values() for rank in ranks]):
        rank.leave()
    groups.clear()


def _answer(job: dict) -> str:
    try:
        _train(**job)
        return "done"
    except Killed:
        return "killed"
    except BaseException:
        return traceback.format_exc()
    finally:
        if torch.distributed.is_initialized():
            torch.distributed.destroy_process_group()


def _train(
    port: int,
    spec: dict,
    manifest: str,
    name: str,
    saves: bool,
    kill_at: int | None,
    broken: list[int],
    memory: int | None,
) -> None:
    """Trains once.

    Args:
        port: Where the processes meet.
        spec: The training.
        manifest: Its data.
        name: Folder of its results, and of its state.
        saves: Save the state after each batch.
        kill_at: The first batch that is not done, counted over all epochs.
        broken: Batches whose loss is not a number in the last of the processes, counted likewise.
        memory: Samples that a network can train on at once.
    """
    os.environ["MASTER_PORT"] = str(port)
    out = Path(name)
    with _same_noise(), _killed(kill_at), pytest.MonkeyPatch.context() as patches:
        patches.setattr(resume_points, "TIME_SHARE", float("inf"))
        patches.setattr(meetings, "SECONDS", 0.0)
        if spec["trainer"]["strategy"] == "deepspeed":
            from snaketorch.training.strategies import deepspeed  # needs the extra

            patches.setattr(deepspeed, "KEPT_WHOLE", 0)  # all that is small would be
        if broken:
            _break_losses(patches, broken)
        if memory is not None:
            little_memory(patches, training=memory)
        step.train(
            TrainSpec.model_validate(spec),
            manifest=Path(manifest),
            state_root=Path("state/train") / name / "seed-0",
            model=out / "model.ckpt",
            history=out / "history.csv",
            record=out / "record.json",
            samples=out / "samples",
            code="code",
            threads=1,
            checkpoint_every=Every(seconds=0.0) if saves else Every(),
        )


def _break_losses(patches: pytest.MonkeyPatch, batches: list[int]) -> None:
    measure = Classification.measure

    def broken(task, batch):
        values = measure(task, batch)
        is_last = task.peers.rank == task.peers.world_size - 1
        if task.training and is_last and task.trainer.fit_loop.epoch_loop.total_batch_idx in batches:
            values["loss"] = values["loss"] * math.nan
        return values

    patches.setattr(Classification, "measure", broken)


@contextmanager
def _same_noise() -> Iterator[None]:
    """Generators start from noise that depends on the sample, not on which process draws how much."""
    train, noise = Gan.training_step, Gan._noise

    def training_step(gan, batch, batch_idx):
        gan.noisy = batch["sample"].tolist()
        return train(gan, batch, batch_idx)

    def of_samples(gan, count):
        if not hasattr(gan, "noisy"):
            return noise(gan, count)
        draws = [torch.Generator().manual_seed(stable_seed(sample)) for sample in gan.noisy]
        return torch.stack([torch.randn(gan.network.latent, generator=draw, dtype=gan.mean.dtype) for draw in draws])

    with patch.object(Gan, "training_step", training_step), patch.object(Gan, "_noise", of_samples):
        yield


@contextmanager
def _killed(batch: int | None) -> Iterator[None]:
    begin = callbacks.StepSeeds.on_train_batch_start

    def on_train_batch_start(self, trainer, *rest) -> None:
        if trainer.fit_loop.epoch_loop.total_batch_idx == batch:
            raise Killed
        begin(self, trainer, *rest)

    with patch.object(callbacks.StepSeeds, "on_train_batch_start", on_train_batch_start):
        yield


if __name__ == "__main__":
    serve()

"""Trainings as far as tracking goes: many processes that keep a journal and an uploader each, and no torch."""

import multiprocessing
import os
import time
from pathlib import Path

from snaketorch.journal import ROOT, Journal, Run
from snaketorch.tracking import follow
from snaketorch.tracking.locks import job_at_work
from snaketorch.tracking.sidecar import FINISH

STEPS = 40
STUDY = "digits-"


def key(number: int) -> str:
    return f"digits_cnn/seed-{number}/0123456789abcdef"


class Trainings:
    """Processes that log at the same time; each goes on to its end once it is let."""

    def __init__(self, folder: Path, address: str, study: str, count: int):
        context = multiprocessing.get_context("fork")  # what is imported need not be imported thirty times
        self.folder, self.address, self.study = folder, address, study
        self.half_way = context.Barrier(count + 1)
        self.go_on = context.Event()
        self.processes = [context.Process(target=self._train, args=(number,)) for number in range(count)]
        for process in self.processes:
            process.start()

    def wait(self) -> list[int]:
        """Exit codes, once all have ended."""
        for process in self.processes:
            process.join(600)
        return [process.exitcode for process in self.processes]

    def stop(self) -> None:
        for process in self.processes:
            process.kill()
            process.join()

    def _train(self, number: int) -> None:
        os.chdir(self.folder)
        journal = Journal(
            ROOT / key(number),
            Run(key=key(number), name=f"digits_cnn-seed-{number}", parent="digits_cnn/0", params={"seed": str(number)}),
        )
        history = journal.folder / "history.csv"
        history.write_text(f"seed\n{number}\n")
        journal.add_artifact(history, "tables")
        told, tell = os.pipe()
        with job_at_work(journal.folder):
            uploader = os.fork()
            if uploader == 0:
                os.close(tell)
                os.dup2(told, 0)
                self._upload(journal.folder, os.getppid())
            for step in range(STEPS):
                if step == STEPS // 2:
                    self.half_way.wait()
                    self.go_on.wait()
                journal.log_metrics({"train/loss": number + 1 / (step + 1), "val/accuracy": step / STEPS}, step)
                time.sleep(0.01)
            journal.finish("FINISHED")
        os.write(tell, FINISH)
        os.waitpid(uploader, 0)  # what it could not send is for a later sync

    def _upload(self, folder: Path, job: int) -> None:
        follow.FIRST_WAIT = follow.INTERVAL = 0.3
        failed = True
        try:
            failed = follow.follow(folder, job, self.address, self.study).failed
        finally:
            os._exit(failed)

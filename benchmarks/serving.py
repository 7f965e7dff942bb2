"""What a request to ``mlflow models serve`` costs, against calling the same model in this process.

The network of the example experiment ``digits_cnn``. Images as nested numbers and as PNG files in base64, one and 64
in a request, one request after the other over one connection, one thread on either side. The routes take turns.
"""

import argparse
import base64
import http.client
import io
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import NamedTuple

import mlflow
import numpy as np
import pandas as pd
import torch
from machine import described
from mlflow.models import Model
from PIL import Image

from snaketorch.config.load import load_study
from snaketorch.config.specs import PrepareSpec, TrainSpec
from snaketorch.dag.workflow import Workflow
from snaketorch.data.prepare import prepare
from snaketorch.inference.bundle import load_bundle, write_bundle
from snaketorch.inference.predictor import Predictor
from snaketorch.registry.package import save
from snaketorch.training.train import train

REPO = Path(__file__).parents[1]
RESULT = REPO / "benchmarks" / "results" / "serving.md"
EXPERIMENT = "digits_cnn"
CALLS = {1: 300, 64: 60}
"""Requests of a turn, by the samples in each."""
ROUTES = ("the bundle, called", "mlflow.pyfunc, called", "mlflow models serve")


class Timing(NamedTuple):
    """Of the calls of one route."""

    p50: float
    """Milliseconds."""
    p99: float
    samples_per_second: float


def bundle_of(folder: Path) -> Path:
    """The bundle of the example network after one epoch: how long it takes does not depend on what it has learnt."""
    study = Workflow(load_study(REPO, {"experiments": {EXPERIMENT: {"trainer": {"max_epochs": 1}}}}))
    manifest, out = folder / "prepared/manifest.json", folder / "trained"
    spec = TrainSpec.model_validate_json(study.train_spec(SimpleNamespace(experiment=EXPERIMENT, seed=0)))
    prepare(
        PrepareSpec.model_validate_json(study.prepare_spec(SimpleNamespace(dataset=spec.data))),
        manifest=manifest,
        preview=folder / "prepared/preview.png",
        arrays=folder / "prepared/arrays",
        code="code",
        source="none",
    )
    files = {"model": out / "model.ckpt", "history": out / "history.csv", "record": out / "record.json"}
    train(
        spec, manifest=manifest, state_root=folder / "state", samples=out / "samples", code="code", threads=1, **files
    )
    write_bundle(folder / "bundle", files["model"], files["record"], manifest)
    return folder / "bundle"


@contextmanager
def served(model: Path, folder: Path) -> Iterator[int]:
    """The port of a server of the packed ``model``."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "mlflow", "models", "serve", "-m", str(model), "--env-manager", "local"]
    places = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = os.environ | {"PATH": places, "OMP_NUM_THREADS": "1", "MLFLOW_DISABLE_TELEMETRY": "true"}
    with (folder / "server.log").open("w") as log:
        process = subprocess.Popen(
            [*command, "--host", "127.0.0.1", "--port", str(port)],
            stdout=log,
            stderr=log,
            env=environment,
            start_new_session=True,
        )
    try:
        while not answers(port):
            if process.poll() is not None:
                raise SystemExit((folder / "server.log").read_text())
            time.sleep(0.2)
        yield port
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def answers(port: int) -> bool:
    """Whether the server is there."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", "/ping")
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()


def timed(calls: int, call: Callable[[], object]) -> list[float]:
    """Seconds of each call."""
    seconds = []
    for _ in range(calls):
        started = time.perf_counter()
        call()
        seconds.append(time.perf_counter() - started)
    return seconds


def summary(seconds: list[float], size: int) -> Timing:
    """Of calls with ``size`` samples each."""
    p50, p99 = np.percentile(seconds, [50, 99]) * 1000
    return Timing(float(p50), float(p99), size * len(seconds) / sum(seconds))


def images(predictor: Predictor, size: int) -> dict[str, list]:
    """The same images in both forms."""
    files = list(predictor.example["image"])
    pixels = [np.asarray(Image.open(io.BytesIO(base64.b64decode(file)))).tolist() for file in files]
    times = -(-size // len(files))
    return {"numbers": (pixels * times)[:size], "base64": (files * times)[:size]}


def measured(repeats: int) -> dict[tuple[int, str, str], Timing]:
    """By samples of a request, form of the images and route."""
    seconds: dict[tuple[int, str, str], list[float]] = {}
    with tempfile.TemporaryDirectory() as scratch:
        folder, here = Path(scratch), Path.cwd()
        os.chdir(folder)
        bundle = bundle_of(folder)
        save(bundle, folder / "model", Model())
        predictor, model = load_bundle(bundle), mlflow.pyfunc.load_model(str(folder / "model"))
        with served(folder / "model", folder) as port:
            connection = http.client.HTTPConnection("127.0.0.1", port)

            def post(body: bytes) -> None:
                connection.request("POST", "/invocations", body, {"Content-Type": "application/json"})
                answer = connection.getresponse()
                text = answer.read()
                if answer.status != 200:
                    raise SystemExit(text.decode())

            for turn in range(repeats + 1):
                for size, calls in CALLS.items():
                    for form, cells in images(predictor, size).items():
                        frame = pd.DataFrame({"image": cells})
                        body = json.dumps({"dataframe_records": frame.to_dict("records")}).encode()
                        routes = (
                            lambda frame=frame: predictor.predict(frame),
                            lambda frame=frame: model.predict(frame),
                            lambda body=body: post(body),
                        )
                        for name, call in zip(ROUTES, routes, strict=True):
                            connection.close()  # the server has done so after 5 quiet seconds
                            call()
                            if turn:  # the first warms up
                                seconds.setdefault((size, form, name), []).extend(timed(calls, call))
                            else:
                                timed(5, call)
            connection.close()
        os.chdir(here)
    return {(size, form, name): summary(found, size) for (size, form, name), found in seconds.items()}


def table(found: dict[tuple[int, str, str], Timing], repeats: int) -> str:
    """Markdown."""
    calls = ", ".join(f"{repeats * count} requests of {size}" for size, count in CALLS.items())
    lines = [
        "# Serving",
        "",
        f"The network of `{EXPERIMENT}`, CPU, one thread, one client: {calls} (see `benchmarks/serving.py`). Images of "
        "8x8 pixels, brought to 16x16 by the model's own preparation. The client's own work with JSON is not counted.",
        "",
        "| samples a request | images as | route | p50, ms | p99, ms | samples/s | of calling the bundle |",
        "|---:|---|---|---:|---:|---:|---:|",
    ]
    for (size, form, name), timing in found.items():
        share = timing.samples_per_second / found[size, form, ROUTES[0]].samples_per_second
        lines.append(
            f"| {size} | {form} | {name} | {timing.p50:.2f} | {timing.p99:.2f} | "
            f"{timing.samples_per_second:.0f} | {share:.2f} |"
        )
    versions = described(["torch", "mlflow", "fastapi", "uvicorn"])
    load = os.getloadavg()[0]
    return "\n".join([*lines, "", f"{versions}; load average at the end {load:.1f}"]) + "\n"


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=3, help="turns that are measured")
    parser.add_argument("--out", type=Path, default=RESULT)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    result = table(measured(arguments.repeats), arguments.repeats)
    arguments.out.write_text(result)
    print(result)

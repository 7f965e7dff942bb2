"""The GPUs: driver, torch, memory, and whether they can talk to each other."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from snaketorch.doctor.finding import Finding, fail, ok, warn
from snaketorch.doctor.programs import ask, ask_python, python_environment
from snaketorch.hardware.gpus import CUDA, HIP, visible_gpus

GIB = 2**30
TORCH_SECONDS = 180
"""For torch to load and to start the GPUs, on a slow shared disk too."""
MOSTLY_FREE = 0.9
DRIVER = Path("/proc/driver/nvidia")


def look_at_devices() -> Iterator[Finding]:
    """Findings about the GPUs of this machine that this process may use."""
    seen = visible_gpus().found
    yield _driver(len(seen))
    if find_spec("torch") is None:
        yield ok("torch", "not installed here; not asked")
        return
    answer = ask_python("snaketorch.doctor.torch_probe", seconds=TORCH_SECONDS)
    try:
        facts = json.loads(answer.text)
    except ValueError:
        yield fail("torch", f"it does not work: {answer.why}", "install it again, for this machine's driver")
        return
    yield from _torch(facts, len(seen))
    yield _all_reduce(len(facts["gpus"]))


def _driver(seen: int) -> Finding:
    answer = ask("nvidia-smi", "--query-gpu=driver_version", "--format=csv,noheader")
    if answer and answer.code and DRIVER.exists():
        return fail(
            "driver", f"nvidia-smi fails: {answer.why}", "the driver does not answer: tell who runs the machine"
        )
    if seen:
        version = f"NVIDIA {answer.text.split()[0]}, " if answer and not answer.code and answer.text.strip() else ""
        return ok("driver", f"{version}{seen} GPU{'s' if seen > 1 else ''} for this process")
    for name in (CUDA, HIP):
        if chosen := os.environ.get(name, "").strip():
            return warn("driver", f"{name}={chosen}, and no such GPU is found", f"`unset {name}`, or mend the driver")
    return ok("driver", "no GPU here: trainings run on the CPU")


def _torch(facts: dict[str, Any], seen: int) -> Iterator[Finding]:
    built = f"CUDA {facts['cuda']}" if facts["cuda"] else f"ROCm {facts['hip']}" if facts["hip"] else "CPUs only"
    name = f"{facts['torch']}, built for {built}"
    if len(facts["gpus"]) == 0 and seen:
        if facts["cuda"] or facts["hip"]:
            advice = (
                f"the driver is too old for {built}, or no GPU may be used (permissions of /dev/nvidia*, a container "
                "without --nv or --gpus): update the driver, or install a torch for an older one (https://pytorch.org)"
            )
        else:
            advice = "install a torch for GPUs, see https://pytorch.org"
        yield fail("torch", f"{name}, sees none of {seen} GPU{'s' if seen > 1 else ''}", advice)
        return
    yield ok("torch", name)
    for number, gpu in enumerate(facts["gpus"]):
        yield _gpu(f"GPU {number}", gpu, facts["built_for"])


def _gpu(about: str, gpu: dict[str, Any], built_for: list[str]) -> Finding:
    found = f"{gpu['name']}, {gpu['memory'] / GIB:.0f} GiB, compute capability {gpu['capability']}"
    if gpu["error"]:
        advice = (
            f"this torch has kernels for {', '.join(built_for)}; if the GPU is not among them install another "
            "(https://pytorch.org), else look at its health (`nvidia-smi -q -d ECC`, `dmesg | grep Xid`)"
        )
        return fail(about, f"{found}: {gpu['error']}", advice)
    if gpu["free"] < MOSTLY_FREE * gpu["memory"]:
        used = (gpu["memory"] - gpu["free"]) / GIB
        advice = "`nvidia-smi` names who uses it; CUDA_VISIBLE_DEVICES leaves a GPU out"
        return warn(about, f"{found}, {used:.1f} GiB in use by others", advice)
    return ok(about, found)


def _all_reduce(gpus: int) -> Finding:
    if gpus < 2:
        return ok("all-reduce", f"not tried: it takes 2 GPUs, and torch sees {gpus}")
    speed, why = all_reduce(gpus, "nccl")
    if why:
        advice = (
            "trainings over several GPUs may hang or fail: try NCCL_P2P_DISABLE=1, then NCCL_DEBUG=INFO to hear more. "
            "In virtual machines IOMMU and ACS settings are the usual reason"
        )
        return fail("all-reduce", f"over {gpus} GPUs it fails: {why}", advice)
    return ok("all-reduce", f"over {gpus} GPUs the sum is right; {speed} GB/s each")


def all_reduce(ranks: int, backend: str, seconds: float = TORCH_SECONDS) -> tuple[str, str]:
    """GB/s of a sum over processes, and why it failed; one of them is empty."""
    with tempfile.TemporaryDirectory() as folder:
        program = [sys.executable, "-m", "snaketorch.doctor.all_reduce"]
        commands = [[*program, str(rank), str(ranks), f"{folder}/meeting", backend] for rank in range(ranks)]
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True, "env": python_environment()}
        processes = [subprocess.Popen(command, **pipes) for command in commands]
        try:
            # all are read at once: one that says much (NCCL_DEBUG) would wait for its reader, and the others for it
            with ThreadPoolExecutor(ranks) as readers:
                said = list(readers.map(lambda process: process.communicate(timeout=seconds), processes))
        except subprocess.TimeoutExpired:
            return "", f"no answer within {seconds:.0f} s"
        finally:
            for process in processes:
                if process.poll() is None:
                    process.kill()
                    process.communicate()
    for process, (_, error) in zip(processes, said, strict=True):
        if process.returncode:
            return "", (error.strip().splitlines() or [f"a process ended with code {process.returncode}"])[-1]
    return said[0][0].strip().rpartition("\n")[2], ""  # NCCL_DEBUG writes to stdout too

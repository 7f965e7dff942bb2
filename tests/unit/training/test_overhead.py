import os

import pytest
import torch

from snaketorch.training.overhead import NoProfiler, no_search_for_gpus

VISIBLE = "CUDA_VISIBLE_DEVICES"


@pytest.mark.parametrize("before", [None, "1"])
def test_a_training_on_the_cpu_looks_for_no_gpus_and_leaves_things_as_they_were(before, monkeypatch):
    monkeypatch.delenv(VISIBLE, raising=False)
    if before is not None:
        monkeypatch.setenv(VISIBLE, before)

    with pytest.raises(KeyError), no_search_for_gpus(torch.device("cpu")):
        assert os.environ[VISIBLE] == ""
        raise KeyError

    assert os.environ.get(VISIBLE) == before


def test_a_training_on_a_gpu_sees_the_gpus_it_was_given(monkeypatch):
    monkeypatch.setenv(VISIBLE, "3")
    with no_search_for_gpus(torch.device("cuda")):
        assert os.environ[VISIBLE] == "3"


def test_what_a_hook_does_is_done_within_the_profiler():
    done = []
    with NoProfiler().profile("a hook"):
        done.append(True)
    with NoProfiler().profile("another one, for the context is used again"):
        done.append(True)
    assert done == [True, True]

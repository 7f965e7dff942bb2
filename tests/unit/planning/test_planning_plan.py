"""Which GPU a plan chooses, what it asks for, and what it advises."""

import json
from dataclasses import replace
from types import SimpleNamespace

import pytest
from fabricated_plan import GIB, gpu, planned, priced, spec

from snaketorch.planning import sizes
from snaketorch.planning.fit import usable_bytes
from snaketorch.planning.precision_advice import precision_for
from snaketorch.planning.step_time import StepTime
from snaketorch.planning.unfit import why_on_none, why_unfit

V100, RTX, A100, SMALL = "Tesla V100 SXM2 16GB", "RTX 3090", "A100 SXM4 80GB", "RTX 2070"


def advised(plan: dict) -> dict[str, str]:
    return {item["what"]: item["why"] for item in plan["advice"]}


def of(plan: dict, name: str) -> dict:
    return next(found for found in plan["gpus"] if name in found["name"])


def test_the_cheapest_that_fits_is_chosen_where_prices_are_known():
    plan = planned(spec([priced(RTX, 1), priced(A100, 1.5), priced(SMALL, 0.01)]), fixed=9)

    assert plan["chosen"]["gpu"] == "A100 SXM4 80GB", "half of the time at less than twice the price"
    assert plan["chosen"]["rule"] == "the cheapest that fits"
    assert not of(plan, "2070")["fits"]
    assert of(plan, "A100")["money"] < of(plan, "3090")["money"]


def test_without_prices_the_fastest_that_fits_is_chosen():
    chosen = planned(spec([V100, RTX, A100]))["chosen"]

    assert chosen["gpu"] == "A100 SXM4 80GB"
    assert chosen["rule"] == "the fastest that fits (config/gpus.yaml tells none of their prices)"


def test_one_without_a_price_is_not_the_cheapest():
    chosen = planned(spec([RTX, priced(A100, 5)]))["chosen"]

    assert (chosen["gpu"], chosen["rule"]) == ("A100 SXM4 80GB", "the cheapest that fits and has a price")


def test_where_none_is_sure_to_fit_the_likely_one_is_chosen_and_said():
    plan = planned(spec([V100]), fixed=14.5)

    (found,) = plan["gpus"]
    assert (found["fits"], found["tight"]) == (False, True)
    assert plan["chosen"]["fits"] is False
    assert plan["chosen"]["rule"].startswith("none is sure to fit")
    assert "to be safe" in found["why"]


def test_the_job_asks_for_the_name_and_partition_of_the_chosen_gpu_and_time_with_a_margin():
    slow = replace(gpu(SMALL), gpu_model="rtx2070", partition="old")
    plan = planned(spec([priced(RTX, 1, gpu_model="rtx3090", partition="gpu"), slow]))

    chosen = plan["chosen"]
    assert (chosen["gpu_model"], chosen["partition"]) == ("rtx3090", "gpu")
    assert chosen["memory_gb"] == 4, "3 GiB and a quarter of them"
    seconds = of(plan, "3090")["seconds"]
    assert seconds == pytest.approx(40 + 200 * 1.1)
    assert chosen["hours"] == 0.25
    assert 1.4 * seconds < 3600 * chosen["hours"]


def test_a_job_that_may_get_any_gpu_asks_for_the_time_of_the_slowest():
    named = [replace(gpu(RTX), gpu_model="a"), replace(gpu(SMALL), gpu_model="b")]

    by_name = planned(spec(named))["chosen"]
    by_chance = planned(spec([RTX, SMALL]))["chosen"]
    by_hand = planned(spec(named, gpu_model="b"))["chosen"]

    assert by_name["gpu_model"] == "a" and by_chance["gpu_model"] is None and by_hand["gpu_model"] == "b"
    assert by_name["hours"] < by_chance["hours"] == by_hand["hours"]


def test_without_a_gpu_memory_and_time_are_planned_for_the_cpu():
    plan = planned(spec([A100], trainer={"accelerator": "auto"}, gpus_asked=0), cpu_seconds=20.0)

    chosen = plan["chosen"]
    assert (chosen["gpu"], chosen["gpu_model"], chosen["partition"]) == (None, None, None)
    assert chosen["hours"] * 3600 > plan["cpu"]["seconds"] == pytest.approx(40 + 20_000 * 1.1)
    assert "trainer.accelerator: gpu, to ask for one" in advised(plan)


def test_a_training_of_the_cpu_needs_no_gpu_to_be_compared():
    plan = planned(spec([], trainer={"accelerator": "cpu"}, gpus_asked=0))

    assert plan["gpus"] == plan["advice"] == []
    assert plan["chosen"]["hours"] > 0
    json.dumps(plan, allow_nan=False)


@pytest.mark.parametrize(
    ("name", "asked", "precision", "told"),
    [
        (A100, "auto", "bf16-mixed", "needs no scaled loss"),
        (V100, "auto", "16-mixed", "the loss is scaled"),
        (SMALL, "bf16-mixed", "bf16-mixed", "Turing has no hardware for bf16-mixed: 16-mixed suits it"),
        ("RX 6900 XT", "auto", "32-true", "no matrix cores"),
        (RTX, "32-true", "32-true", "bf16-mixed has up to 2 times the rate"),
        (A100, "64-true", "64-true", "reference values"),
    ],
)
def test_the_precision_goes_by_the_architecture(name, asked, precision, told):
    found, why = precision_for(gpu(name), asked)

    assert found == precision
    assert told in why


def test_pascal_trains_in_32_bits_whatever_its_row_says():
    old = replace(gpu(RTX), architecture="Pascal", tflops={"fp32": 11.0, "fp16": 22.0}, matrix_cores=None)

    assert precision_for(old, "auto")[0] == "32-true"


def test_memory_is_not_all_for_the_training():
    assert usable_bytes(gpu(RTX), 0) == pytest.approx(0.98 * 24 * GIB)
    assert usable_bytes(gpu("Tesla T4"), 0) == pytest.approx(0.93 * 16 * GIB), "bits against errors lie in it"
    assert usable_bytes(gpu("Jetson AGX Orin 32GB"), 4 * GIB) == pytest.approx((0.9 * 32 - 4) * GIB)
    assert usable_bytes(gpu("Jetson Orin Nano 8GB"), 9 * GIB) == 0
    assert usable_bytes(gpu(RTX), 0, free_gb=100) == 24 * GIB


def test_a_gpu_without_free_memory_fits_nothing_and_is_no_error():
    plan = planned(spec([RTX]), free_gb=0.0)

    (found,) = plan["gpus"]
    assert (found["fits"], found["tight"], found["largest_batch_size"]) == (False, False, None)
    assert found["why"] == "0.50 GiB to start, and there are 0.00"
    assert "it needs 0.50 GiB to start, and there are 0.00." in why_unfit(plan)


def test_a_batch_that_is_too_large_is_split():
    plan = planned(spec([SMALL], batch_size=1024, trainer={"precision": "32-true"}))

    found = advised(plan)
    assert "data_loader.batch_size: 624 with trainer.accumulate_grad_batches: 2" in found
    assert "trainer.gradient_checkpointing: true" in found
    assert "trainer.precision: 16-mixed" in found
    assert any(what.startswith("a GPU with 16 GiB, such as") for what in found)


def test_a_network_that_is_too_large_is_shared_out():
    found = advised(planned(spec([V100]), fixed=40))

    assert "trainer: {strategy: fsdp, devices: 4} with resources.gpus: 4" in found
    assert "trainer.gradient_checkpointing: true" not in found, "it would not be enough"
    assert "data_loader.batch_size" not in str(found)


def test_a_network_that_nothing_holds_is_said_to_be_too_large():
    plan = planned(spec([V100, A100]), fixed=10_000)

    assert list(advised(plan)) == ["a smaller network, or smaller samples"]
    assert why_unfit(plan).startswith("experiment cnn may not fit A100 SXM4 80GB, and neither does the other one")


def test_what_fits_is_not_refused():
    assert why_unfit(planned(spec([RTX]))) == ""
    assert why_unfit(planned(spec([], trainer={"accelerator": "cpu"}, gpus_asked=0))) == ""


def test_who_asks_for_no_gpu_is_told_when_none_holds_the_training():
    asks_for_none = planned(spec([SMALL, V100], gpus_asked=0), fixed=40)

    assert why_unfit(asks_for_none) == "", "the job runs without one"
    told = "experiment cnn asks for no GPU, and is not sure to fit any that was compared: on Tesla V100"
    assert why_on_none(asks_for_none).startswith(told)
    assert why_on_none(planned(spec([SMALL, RTX], gpus_asked=0))) == ""
    assert why_on_none(planned(spec([V100]), fixed=40)) == "", "that is told of the GPU that it asks for"


def test_one_gpu_is_advised_where_it_is_enough_and_several_for_days():
    assert "one GPU" in advised(planned(spec([RTX])))

    found = advised(planned(spec([gpu("Tesla T4")]), pace=200.0))

    assert found["ddp: trainer.devices: 8 with data_loader.batch_size: 8"].startswith("61 hours on one GPU")


def test_sizes_that_leave_tensor_cores_idle_are_named():
    model = {"kind": "cnn", "channels": [30, 64, 3], "hidden": 100}

    found = list(sizes.awkward_sizes(spec([RTX], model=model, batch_size=250), {}))

    assert found == [
        ("model.channels", 30, 32),
        ("model.hidden", 100, 104),
        ("data_loader.batch_size", 250, 256),
    ]


@pytest.mark.parametrize(("words", "better"), [(10_000, 9_984), (302, None), (9_984, None)])
def test_a_large_vocabulary_is_a_multiple_of_64(monkeypatch, words, better):
    monkeypatch.setattr(sizes, "load_tokenizer", lambda _: SimpleNamespace(size=words))
    of_texts = spec([RTX]).model_copy(update={"task": SimpleNamespace(kind="language_modelling")})

    found = {key: size for key, _, size in sizes.awkward_sizes(of_texts, {"tokenizer": {}})}

    assert found.get("prepare.tokenizer.vocabulary_size") == better


def test_32_bits_are_advised_against_on_tensor_cores():
    assert "trainer.precision: bf16-mixed, or auto" in advised(planned(spec([RTX], trainer={"precision": "32-true"})))


def test_recomputing_what_would_fit_is_advised_against():
    assert "trainer.gradient_checkpointing: false" in advised(
        planned(spec([RTX], trainer={"gradient_checkpointing": True}))
    )


def test_a_job_that_could_not_name_its_gpu_is_told_how():
    named = replace(gpu(RTX), gpu_model="rtx3090")

    assert "gpu_model or partition of each GPU in config/gpus.yaml" in advised(planned(spec([RTX])))
    assert "gpu_model or partition of each GPU in config/gpus.yaml" not in advised(planned(spec([named])))


@pytest.mark.parametrize(
    "changes",
    [
        {"task": "gan", "model": {"kind": "gan"}},
        {"trainer": {"strategy": "fsdp", "devices": 2}, "gpus_asked": 2},
    ],
)
def test_a_training_whose_loss_cannot_be_scaled_is_planned_in_the_precision_that_it_will_have(changes):
    plan = planned(spec([V100, A100], **changes))

    assert (of(plan, V100)["precision"], of(plan, A100)["precision"]) == ("32-true", "bf16-mixed")
    assert "scaled loss" in of(plan, V100)["precision_advice"]


def test_what_two_networks_that_take_turns_cannot_have_is_not_advised(monkeypatch):
    monkeypatch.setattr("fabricated_plan.step_on", lambda *_, **__: StepTime(0.01, 0.001, 0.001, 0.01, "it waits"))
    gan = {"task": "gan", "model": {"kind": "gan"}}
    unfit = advised(planned(spec([V100], batch_size=4096, **gan)))
    waiting = planned(spec([RTX], batch_size=16, **gan))

    assert any(what.startswith("data_loader.batch_size: ") for what in unfit)
    for key in ("accumulate_grad_batches", "gradient_checkpointing", "16-mixed", "compile"):
        assert not any(key in what for what in [*unfit, *advised(waiting)]), key
    assert "a larger data_loader.batch_size" in advised(waiting)
    alone = planned(spec([RTX], batch_size=16))
    assert "a larger data_loader.batch_size, or trainer.compile: true" in advised(alone)


@pytest.mark.parametrize(("asked", "key"), [("auto", ""), ("16-mixed", ", precision: 32-true")])
def test_devices_that_share_a_network_out_are_counted_in_the_precision_that_they_can_have(asked, key):
    plan = planned(spec([V100], trainer={"precision": asked}, batch_size=1024), fixed=16)

    shared_out = next(what for what in advised(plan) if "fsdp" in what)
    assert shared_out == f"trainer: {{strategy: fsdp, devices: 4{key}}} with resources.gpus: 4", "2 would do in 16 bits"


def test_a_plan_says_when_no_job_can_ask_for_as_much_time_as_it_needs():
    usual, endless = planned(spec([A100])), planned(spec([A100]), pace=100_000)

    assert endless["chosen"]["hours"] == 720
    assert "no job can ask for more than 720 hours" in advised(endless)["fewer epochs, or more devices"]
    assert "fewer epochs, or more devices" not in advised(usual)

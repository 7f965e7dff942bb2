from snaketorch.spec_differences import differences


def test_equal_specs_do_not_differ():
    spec = {"optimizer": {"kind": "sgd", "lr": 0.1}, "seeds": [0, 1], "augment": None}

    assert differences(spec, {**spec, "seeds": [0, 1]}) == []


def test_a_key_that_differs_is_named_by_its_path_with_both_values():
    before = {"optimizer": {"lr": 0.001, "betas": [0.9, 0.999]}, "name": "a"}
    now = {"optimizer": {"lr": 0.002, "betas": [0.8, 0.999]}, "name": "b"}

    assert differences(before, now) == [
        "optimizer.lr: 0.001 -> 0.002",
        "optimizer.betas: [0.9, 0.999] -> [0.8, 0.999]",
        "name: a -> b",
    ]


def test_a_section_of_another_kind_is_said_once():
    before = {"model": {"kind": "cnn", "channels": [4], "dropout": 0.1}}
    now = {"model": {"kind": "mlp", "hidden": 8, "dropout": 0.2}}

    assert differences(before, now) == ["model.kind: cnn -> mlp"]


def test_a_key_that_comes_or_goes_is_named():
    assert differences({"old": 1}, {"new": None}) == ["new: (absent) -> null", "old: 1 -> (absent)"]


def test_a_section_that_was_not_there_is_shown_in_short():
    (change,) = differences({"early_stopping": None}, {"early_stopping": {"monitor": "val/loss", "patience": 3}})

    assert change == "early_stopping: null -> {monitor: val/loss, patience: 3}"


def test_values_that_only_look_alike_differ():
    assert differences({"a": 1, "b": True, "c": ""}, {"a": 1.0, "b": 1, "c": None}) == [
        "a: 1 -> 1.0",
        "b: true -> 1",
        'c: "" -> null',
    ]


def test_a_long_value_is_cut():
    (change,) = differences({"classes": []}, {"classes": ["name"] * 100})

    assert len(change) < 80
    assert change.endswith("...")

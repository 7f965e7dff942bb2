"""What a sweep draws from."""

import math

import pytest
from pydantic import TypeAdapter, ValidationError

from snaketorch.config.domains import Domain
from snaketorch.config.space import Space, value_at, with_values
from snaketorch.config.suggestions import Given, OutsideSpaceError, Seeded

DOCUMENT = {
    "model": {"kind": "cnn", "channels": [8], "dropout": 0.25},
    "optimizer": {"kind": "adamw", "lr": 1e-3, "betas": [0.9, 0.999], "eps": 1e-8, "weight_decay": 0.01},
    "augment": None,
    "trainer": {"max_epochs": 4},
}


def space(**domains: dict) -> Space:
    """A space of keys with `__` for each dot."""
    adapter = TypeAdapter(dict[str, Domain])
    return Space(adapter.validate_python({name.replace("__", "."): value for name, value in domains.items()}), DOCUMENT)


def draws(found: Space, path: str, count: int = 300) -> list:
    return [found.draw(Seeded(0, number))[path] for number in range(count)]


@pytest.mark.parametrize(
    ("domain", "lowest", "highest"),
    [
        ({"uniform": [0.0, 0.5]}, 0.0, 0.5),
        ({"loguniform": [1e-4, 1e-1]}, 1e-4, 1e-1),
    ],
)
def test_numbers_fill_their_range_without_its_end(domain: dict, lowest: float, highest: float):
    values = draws(space(optimizer__lr=domain), "optimizer.lr")

    assert all(type(value) is float and lowest <= value < highest for value in values)
    assert len(set(values)) == len(values)
    assert min(values) < lowest + (highest - lowest) * 0.05


def test_logarithms_are_uniform():
    values = draws(space(optimizer__lr={"loguniform": [1e-4, 1e-1]}), "optimizer.lr", 1000)

    shares = [sum(low <= math.log10(value) < low + 1 for value in values) / 1000 for low in (-4, -3, -2)]
    assert all(0.27 < share < 0.40 for share in shares)


@pytest.mark.parametrize(
    ("domain", "values"),
    [
        ({"randint": [2, 5]}, [2, 3, 4]),
        ({"lograndint": [2, 5]}, [2, 3, 4]),
        ({"qrandint": [0, 20, 5]}, [0, 5, 10, 15, 20]),
        ({"qrandint": [1, 19, 5]}, [5, 10, 15]),
        ({"qrandint": [2, 5, 1]}, [2, 3, 4]),
        ({"qlograndint": [4, 16, 4]}, [4, 8, 12, 16]),
        ({"quniform": [0.0, 0.3, 0.1]}, [0.0, 0.1, 0.2, 0.3]),
        ({"qloguniform": [0.1, 0.4, 0.1]}, [0.1, 0.2, 0.3, 0.4]),
        ({"choice": [32, [8, 16], {"kind": "sgd"}, None]}, None),
    ],
    ids=str,
)
def test_a_range_has_the_values_that_ray_tune_gives_it(domain: dict, values: list | None):
    found = draws(space(model__x=domain), "model.x")

    if values is None:
        assert all(option in found for option in domain["choice"])
        assert all(value in domain["choice"] for value in found)
    else:
        assert sorted({round(value, 9) for value in found}) == values
        assert {type(value) for value in found} == {int if "int" in next(iter(domain)) else float}


@pytest.mark.parametrize(
    ("domain", "words"),
    [
        ({}, "nothing that it may be"),
        ({"uniform": [0, 1], "choice": [1]}, "uniform and choice at once"),
        ({"uniform": [1, 0]}, "from 1 to 0 is nothing"),
        ({"randint": [3, 3]}, "from 3 to 3 is nothing"),
        ({"loguniform": [0, 1]}, "0 has no logarithm"),
        ({"quniform": [0, 1, 0]}, "a step of 0 leads nowhere"),
        ({"qrandint": [6, 9, 5]}, "no multiple of 5"),
    ],
)
def test_a_range_of_nothing_is_refused(domain: dict, words: str):
    with pytest.raises(ValidationError, match=words):
        TypeAdapter(Domain).validate_python(domain)


def test_a_trial_depends_on_its_seed_and_number_alone():
    small = space(optimizer__lr={"loguniform": [1e-4, 1e-1]})
    large = space(model__dropout={"uniform": [0, 1]}, optimizer__lr={"loguniform": [1e-4, 1e-1]})

    first = [small.draw(Seeded(3, number))["optimizer.lr"] for number in range(5)]

    assert [large.draw(Seeded(3, number))["optimizer.lr"] for number in range(5)] == first
    assert small.draw(Seeded(4, 0))["optimizer.lr"] not in first


def test_a_key_is_drawn_when_its_condition_holds():
    found = space(
        optimizer__momentum={"uniform": [0.8, 0.99], "when": {"optimizer.kind": ["sgd", "rmsprop"]}},
        optimizer__kind={"choice": ["adamw", "sgd"]},
    )

    values = [found.draw(Seeded(0, number)) for number in range(40)]

    assert {("optimizer.momentum" in one, one["optimizer.kind"]) for one in values} == {(True, "sgd"), (False, "adamw")}


def test_a_condition_may_name_a_key_that_is_not_tuned():
    assert draws(space(optimizer__lr={"choice": [1], "when": {"trainer.max_epochs": 4}}), "optimizer.lr") == [1] * 300
    assert space(optimizer__lr={"choice": [1], "when": {"trainer.max_epochs": 5}}).draw(Seeded(0, 0)) == {}


def test_a_bound_may_be_another_key():
    found = space(
        optimizer__weight_decay={"uniform": [0.0, "optimizer.lr"]}, optimizer__lr={"loguniform": [1e-4, 1e-1]}
    )

    for number in range(50):
        values = found.draw(Seeded(0, number))
        assert 0 <= values["optimizer.weight_decay"] < values["optimizer.lr"]


def test_a_bound_knows_the_defaults_of_a_section_that_was_chosen():
    found = space(
        optimizer={"choice": [{"kind": "rmsprop"}]}, optimizer__momentum={"uniform": [0.0, "optimizer.alpha"]}
    )

    assert found.draw(Seeded(0, 0))["optimizer.momentum"] < 0.99


def test_ranges_that_depend_on_each_other_are_refused():
    with pytest.raises(ValueError, match="depend on each other"):
        space(optimizer__lr={"uniform": [0, "optimizer.eps"]}, optimizer__eps={"uniform": [0, "optimizer.lr"]})


def test_a_grid_has_every_combination_once():
    found = space(
        optimizer__kind={"choice": ["adamw", "sgd"]},
        optimizer__momentum={"grid": [0.0, 0.9], "when": {"optimizer.kind": "sgd"}},
        model__hidden={"randint": [1, 3]},
    )

    values = list(found.every())

    assert len(values) == found.size(100) == 6
    assert all(values.count(one) == 1 for one in values)
    assert found.size(4) == 4


def test_a_whole_section_replaces_what_was_there():
    document = with_values(DOCUMENT, {"optimizer": {"kind": "sgd"}, "optimizer.momentum": 0.5})

    assert document["optimizer"] == {"kind": "sgd", "momentum": 0.5}
    assert DOCUMENT["optimizer"]["kind"] == "adamw"


def test_another_kind_leaves_nothing_of_its_section_but_what_else_is_given():
    document = with_values(DOCUMENT, {"optimizer.lr": 0.5, "optimizer.kind": "sgd"})

    assert document["optimizer"] == {"kind": "sgd", "lr": 0.5}
    assert with_values(DOCUMENT, {"optimizer.kind": "adamw"}) == DOCUMENT


def test_a_section_that_is_absent_is_made():
    assert with_values(DOCUMENT, {"augment.rotate": 10})["augment"] == {"rotate": 10}
    assert value_at(DOCUMENT, "optimizer.lr") == 1e-3
    with pytest.raises(KeyError):
        value_at(DOCUMENT, "optimizer.lr.x")


def test_a_space_knows_its_own_values():
    found = space(
        optimizer__kind={"choice": ["adamw", "sgd"]},
        optimizer__momentum={"uniform": [0.5, 0.9], "when": {"optimizer.kind": "sgd"}},
    )

    assert all(found.holds(found.draw(Seeded(0, number))) for number in range(20))
    assert not found.holds({"optimizer.kind": "sgd"})
    assert not found.holds({"optimizer.kind": "adamw", "optimizer.momentum": 0.6})
    assert not found.holds({"optimizer.kind": "sgd", "optimizer.momentum": 0.95})
    assert not found.holds({"optimizer.kind": "adam"})


def test_values_from_elsewhere_are_refused_by_name():
    with pytest.raises(OutsideSpaceError, match=r"optimizer\.lr: 3 is not between"):
        space(optimizer__lr={"uniform": [0, 1]}).draw(Given({"optimizer.lr": 3}))


@pytest.mark.parametrize(
    ("domain", "value", "is_edge"),
    [
        ({"loguniform": [1e-4, 1e-1]}, 1.05e-4, True),
        ({"loguniform": [1e-4, 1e-1]}, 1e-3, False),
        ({"uniform": [0.0, 1.0]}, 0.995, True),
        ({"uniform": [0.0, 1.0]}, 0.5, False),
        ({"randint": [16, 129]}, 128, True),
        ({"randint": [16, 129]}, 127, False),
        ({"choice": [32, 64, 128]}, 128, True),
        ({"choice": [32, 64, 128]}, 64, False),
        ({"choice": [32, 64]}, 64, False),
        ({"choice": ["relu", "tanh", "gelu"]}, "relu", False),
        ({"choice": [True, False]}, True, False),
    ],
    ids=str,
)
def test_a_value_at_the_end_of_its_range_is_at_the_edge(domain: dict, value: object, is_edge: bool):
    assert space(model__x=domain).at_edge({"model.x": value}) == (["model.x"] if is_edge else [])


def test_the_order_in_a_file_changes_nothing():
    one = space(optimizer__lr={"choice": [1, 2]}, model__hidden={"choice": [3, 4]})
    other = space(model__hidden={"choice": [3, 4]}, optimizer__lr={"choice": [1, 2]})

    assert list(one.every()) == list(other.every())

"""Whatever stands in the files, there is a study or there are problems: never a crash."""

import copy
import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from snaketorch.config import specs
from snaketorch.config.load import Study, load_study
from snaketorch.config.problems import ConfigError

WORDS = st.sampled_from(
    ["cnn", "gru", "digits", "sunspots", "adamw", "plateau", "forecasting", "auto", "val/loss", "kind", "lr", "extends"]
)
SCALARS = st.none() | st.booleans() | st.integers() | st.integers(0, 5) | st.floats() | WORDS | st.text(max_size=5)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS | st.text(max_size=3), inner, max_size=3),
    max_leaves=5,
)
fuzz = settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)


@pytest.fixture
def good(study: Path) -> dict[str, Any]:
    (study / "config/experiments/wide.yaml").write_text("extends: cnn\nmodel: {channels: [32]}\nabstract: false\n")
    return {
        str(file.relative_to(study)): yaml.safe_load(file.read_text())
        for file in sorted(study.rglob("config/**/*.yaml"))
    }


def paths(value: Any, path: tuple = ()) -> list[tuple]:
    """Of everything in ``value``."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(found for key, item in items for found in paths(item, (*path, key)))]


@st.composite
def mutations(draw: st.DrawFn, good: dict[str, Any]) -> dict[str, Any]:
    """The files of a good study with some values replaced, removed or added."""
    files = copy.deepcopy(good)
    for _ in range(draw(st.integers(1, 4))):
        *above, last = draw(st.sampled_from([path for path in paths(files) if path]))
        section = files
        for key in above:
            section = section[key]
        match draw(st.sampled_from(["replace", "remove", "add"])):
            case "remove":
                del section[last]
            case "add" if above and isinstance(section, dict):
                section[draw(WORDS)] = draw(VALUES)
            case _:
                section[last] = draw(VALUES)
        if not paths(files)[1:]:
            break
    return files


def load_or_explain(folder: Path, overrides: dict[str, Any] | None = None) -> None:
    try:
        study = load_study(folder, overrides)
    except ConfigError as error:
        assert error.problems
        for line in str(error).splitlines()[1:]:
            assert line.startswith(("  config/", "  --config: ")), line
    else:
        assert_specs_survive_their_journey(study)


def assert_specs_survive_their_journey(study: Study) -> None:
    """From the workflow to a step they are text on a command line."""
    for name, experiment in study.experiments.items():
        values = {"experiment": name, "seed": experiment.seeds[0], **dict(experiment)}
        spec = specs.TrainSpec.model_construct(**{key: values[key] for key in specs.TrainSpec.model_fields})
        text = json.dumps(spec.model_dump(mode="json"), allow_nan=False)
        assert specs.TrainSpec.model_validate_json(text).model_dump() == spec.model_dump()


@fuzz
@given(data=st.data())
def test_mutated_values_never_crash(study: Path, good: dict[str, Any], data: st.DataObject):
    for name, value in data.draw(mutations(good)).items():
        (study / name).write_text(yaml.safe_dump(value, allow_unicode=True), "utf-8", errors="surrogatepass")

    load_or_explain(study)


@fuzz
@given(data=st.data())
def test_mutated_bytes_never_crash(study: Path, data: st.DataObject):
    files = {path: path.read_bytes() for path in study.rglob("config/**/*.yaml")}
    file = data.draw(st.sampled_from(sorted(files)))
    content = bytearray(files[file])
    for _ in range(data.draw(st.integers(1, 5))):
        start = data.draw(st.integers(0, len(content)))
        stop = data.draw(st.integers(start, min(len(content), start + 6)))
        signs = st.sampled_from(
            [b":", b": ", b"\n", b"\t", b"{", b"]", b"- ", b"&a ", b"*a", b"!t ", b"'", b"|", b"012", b"<<: "]
        )
        content[start:stop] = data.draw(signs | st.binary(max_size=4))
    file.write_bytes(content)

    load_or_explain(study)

    file.write_bytes(files[file])


@fuzz
@given(
    st.dictionaries(st.sampled_from(["run", "study", "tracking", "report", "seeds"]), VALUES, max_size=2),
    VALUES,
    VALUES,
)
def test_overrides_never_crash(study: Path, own: dict[str, Any], of_cnn: Any, of_digits: Any):
    load_or_explain(study, {**own, "experiments": {"cnn": of_cnn}, "datasets": {"digits": of_digits}})
    load_or_explain(study, {**own, "experiments": of_cnn, "datasets": of_digits})

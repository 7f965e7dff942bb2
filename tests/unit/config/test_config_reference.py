import json
import re
from pathlib import Path

import jsonschema
import pytest

from snaketorch.config.reference import COMMAND, MODELS, REPOSITORY, generated, main, stale
from snaketorch.config.yaml_loader import read_yaml

SCHEMAS = Path("workflow/schemas")
EXAMPLES = [
    Path("config/config.yaml"),
    *(
        path.relative_to(REPOSITORY)
        for part in ("datasets", "experiments")
        for path in REPOSITORY.glob(f"config/{part}/*.yaml")
    ),
]


def validator(name: str) -> jsonschema.Draft7Validator:
    return jsonschema.Draft7Validator(json.loads((REPOSITORY / SCHEMAS / f"{name}.schema.json").read_text("utf-8")))


def errors(name: str, value: dict) -> list[str]:
    return [error.message for error in validator(name).iter_errors(value)]


@pytest.fixture
def experiment() -> dict:
    return {
        "task": {"kind": "image_classification"},
        "data": "digits",
        "model": {"kind": "cnn"},
        "optimizer": {"kind": "adamw"},
        "trainer": {"max_epochs": 3},
    }


def test_generated_files_are_fresh():
    out_of_date = [str(path.relative_to(REPOSITORY)) for path in stale()]

    assert out_of_date == [], f"write them with: {COMMAND}"


def test_what_is_out_of_date_is_said_and_fixed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    for path in generated():
        copy = tmp_path / path.relative_to(REPOSITORY)
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_text(path.read_text("utf-8").replace("Passes over", "Runs over"), "utf-8")
    monkeypatch.setattr("snaketorch.config.reference.stale.__defaults__", (tmp_path,))

    with pytest.raises(SystemExit, match=re.escape(COMMAND)) as error:
        main([])
    assert "experiment.schema.json" in str(error.value)
    assert "config.schema.json" not in str(error.value)
    main(["--fix"])
    main([])

    for path in generated():
        assert (tmp_path / path.relative_to(REPOSITORY)).read_text("utf-8") == path.read_text("utf-8")


@pytest.mark.parametrize("name", MODELS)
def test_a_schema_is_a_schema(name: str):
    jsonschema.Draft7Validator.check_schema(validator(name).schema)


@pytest.mark.parametrize("file", EXAMPLES, ids=str)
def test_an_example_fits_the_schema_that_it_names(file: Path):
    first = (REPOSITORY / file).read_text("utf-8").splitlines()[0]
    named = re.fullmatch(r"# yaml-language-server: \$schema=(.+)", first)
    assert named, "the first line tells editors the schema"
    schema = (REPOSITORY / file.parent / named[1]).resolve()
    kind = {"config": "config", "datasets": "dataset", "experiments": "experiment"}[file.parent.name]
    assert schema == REPOSITORY / SCHEMAS / f"{kind}.schema.json"

    assert errors(kind, read_yaml(REPOSITORY / file, str(file)).data) == []


def test_a_task_may_be_a_name_when_it_needs_no_more(experiment: dict):
    assert errors("experiment", experiment) == []
    assert errors("experiment", experiment | {"task": "image_classification"}) == []
    assert errors("experiment", experiment | {"task": "forecasting"}) != []


@pytest.mark.parametrize(
    "change",
    [
        {"sede": [0]},
        {"model": {"kind": "cnn", "layers": 2}},
        {"model": {"channels": [8]}},
        {"optimizer": {"kind": "adamw", "lr": 0}},
        {"trainer": {}},
        {"seeds": []},
        {"data": "a b"},
    ],
    ids=str,
)
def test_the_schema_refuses_what_the_configuration_refuses(experiment: dict, change: dict):
    assert errors("experiment", experiment | change) != []


def test_a_file_that_extends_another_may_leave_out_what_it_inherits(experiment: dict):
    part = {"model": {"channels": [8]}, "trainer": {"precision": "auto"}}

    assert errors("experiment", part) != []
    assert errors("experiment", part | {"abstract": False}) != []
    assert errors("experiment", part | {"extends": "cnn"}) == []
    assert errors("experiment", part | {"abstract": True}) == []
    assert errors("experiment", {"extends": "cnn", "model": {"channel": [8]}}) != []
    assert errors("experiment", {"extends": "cnn", "model": {"kind": "lstm", "channels": [8]}}) != []


def test_every_key_is_explained_in_the_reference():
    readme = (REPOSITORY / "config/README.md").read_text("utf-8")
    for model in MODELS.values():
        for key in model.model_fields:
            assert f"| `{key}` | " in readme


def anchors(readme: str) -> dict[str, int]:
    """Where each heading stands, by the name that GitHub gives it: of headings that are alike, all but the first are
    numbered."""
    found: dict[str, int] = {}
    for heading in re.finditer(r"^#+ (.+)$", readme, re.M):
        name = re.sub(r"[^\w -]", "", heading[1].lower()).replace(" ", "-")
        alike = sum(known == name or re.fullmatch(rf"{re.escape(name)}-\d+", known) is not None for known in found)
        found[f"{name}-{alike}" if alike else name] = heading.start()
    return found


def test_the_links_of_the_reference_lead_somewhere():
    readme = (REPOSITORY / "config/README.md").read_text("utf-8")

    assert set(re.findall(r"\]\(#([^)]+)\)", readme)) <= set(anchors(readme))


def test_a_key_of_two_kinds_of_files_leads_to_the_table_of_its_own():
    readme = (REPOSITORY / "config/README.md").read_text("utf-8")
    for name in ("dataset", "experiment"):
        begin, end = readme.index(f"<!-- generated: {name} "), readme.index(f"<!-- end of generated: {name} ")
        (link,) = set(re.findall(r"^\| `resources` .*\]\(#([^)]+)\)", readme[begin:end], re.M))

        assert begin < anchors(readme)[link] < end


def test_a_kind_without_tables_of_its_own_is_a_key_like_any_other():
    readme = (REPOSITORY / "config/README.md").read_text("utf-8")
    table = readme[readme.index("#### `tokenizer`") :].split("\n\n")[2]

    assert re.search(r"^\| `kind` \| .* \| character, word, bpe \| `word` \|$", table, re.M)

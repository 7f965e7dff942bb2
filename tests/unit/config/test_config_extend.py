from pathlib import Path

import pytest

from snaketorch.config.document import Document
from snaketorch.config.extend import extend_all
from snaketorch.config.load import load_study
from snaketorch.config.problems import Problem
from snaketorch.config.yaml_loader import read_yaml


def documents(folder: Path, **texts: str) -> dict[str, Document]:
    for name, text in texts.items():
        (folder / f"{name}.yaml").write_text(text)
    return {name: read_yaml(folder / f"{name}.yaml", f"{name}.yaml") for name in texts}


def extend(folder: Path, **texts: str) -> dict[str, Document]:
    problems: list[Problem] = []
    merged = extend_all(documents(folder, **texts), problems)
    assert problems == []
    return merged


def test_keys_of_the_nearer_file_go_first(tmp_path: Path):
    merged = extend(
        tmp_path,
        grandchild="extends: child\nc: 30\n",
        child="extends: parent\nb: 20\nc: 20\n",
        parent="a: 10\nb: 10\nc: 10\n",
    )

    assert merged["grandchild"].data == {"a": 10, "b": 20, "c": 30, "extends": "child"}
    assert merged["child"].data == {"a": 10, "b": 20, "c": 20, "extends": "parent"}
    assert merged["parent"].data == {"a": 10, "b": 10, "c": 10}


def test_sections_merge_and_lists_are_replaced(tmp_path: Path):
    merged = extend(
        tmp_path,
        child="extends: parent\ns: {t: {y: 2}, list: [3]}\n",
        parent="s: {t: {x: 1, y: 1}, list: [1, 2], z: 1}\n",
    )

    assert merged["child"].data["s"] == {"t": {"x": 1, "y": 2}, "list": [3], "z": 1}
    assert merged["parent"].data["s"] == {"t": {"x": 1, "y": 1}, "list": [1, 2], "z": 1}, "the parent stays as it is"


@pytest.mark.parametrize(
    ("section", "expected"),
    [
        ("{kind: a, y: 2}", {"kind": "a", "x": 1, "y": 2}),
        ("{y: 2}", {"kind": "a", "x": 1, "y": 2}),
        ("{kind: b, y: 2}", {"kind": "b", "y": 2}),
        ("null", None),
        ("text", "text"),
    ],
)
def test_a_section_of_another_kind_replaces_the_whole_section(tmp_path: Path, section: str, expected: object):
    merged = extend(tmp_path, child=f"extends: parent\ns: {section}\n", parent="s: {kind: a, x: 1}\n")

    assert merged["child"].data["s"] == expected


def test_a_task_that_is_a_name_merges_as_a_section(tmp_path: Path):
    merged = extend(
        tmp_path,
        options="extends: parent\ntask: {smooth: 1}\n",
        other="extends: options\ntask: else\n",
        parent="task: classify\n",
    )

    assert merged["options"].data["task"] == {"kind": "classify", "smooth": 1}
    assert merged["other"].data["task"] == {"kind": "else"}


def test_what_is_about_a_file_itself_is_not_inherited(tmp_path: Path):
    merged = extend(tmp_path, child="extends: parent\n", parent="abstract: true\ndescription: a base\na: 1\n")

    assert merged["child"].data == {"extends": "parent", "a": 1}
    assert ("abstract",) not in merged["child"].positions


def test_positions_follow_their_values(tmp_path: Path):
    merged = extend(
        tmp_path,
        child="extends: parent\ns:\n  x: 2\nm: {kind: b}\n",
        parent="a: 1\ns:\n  x: 1\n  y: 1\nm:\n  kind: a\n  z: 1\n",
    )

    document = merged["child"]
    assert document.position(("a",)) == ("parent.yaml", 1, (), None)
    assert document.position(("s", "x")) == ("child.yaml", 3, (), None)
    assert document.position(("s", "y")) == ("parent.yaml", 4, (), None)
    assert document.position(("m", "z")) == ("child.yaml", 4, (), None), "nothing of the replaced section is left"
    assert document.gap(("s", "new")).file == "child.yaml"


def test_a_chain_of_thousands_is_followed(tmp_path: Path):
    texts = {f"e{index}": f"extends: e{index + 1}\nk{index % 7}: {index}\n" for index in range(2000)}

    merged = extend(tmp_path, **texts, e2000="last: true\n")

    assert merged["e0"].data["last"] is True
    assert merged["e0"].data["k0"] == 0


def test_results_do_not_depend_on_who_extends(experiments: Path, study: Path):
    before = load_study(study).experiments["cnn"]
    (experiments / "wide.yaml").write_text("extends: cnn\nmodel: {channels: [64]}\ntrainer: {max_epochs: 50}\n")

    after = load_study(study).experiments

    assert after["cnn"] == before
    assert after["wide"].model.channels == [64]

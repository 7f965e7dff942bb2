"""What is generated from the configuration's models: the editors' schemas and the tables of `config/README.md`.

``python -m snaketorch.config.reference`` says which files are out of date, with ``--fix`` it writes them.
"""

import argparse
import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from snaketorch.config.datasets import DatasetConfig
from snaketorch.config.editor_schema import editor_schema
from snaketorch.config.experiment import ExperimentConfig
from snaketorch.config.explain import Schema, allowed, concrete, keys, kinds, schema_of
from snaketorch.config.gpu import GpuFile
from snaketorch.config.study import StudyConfig
from snaketorch.publish import write_text

COMMAND = "python -m snaketorch.config.reference --fix"
REPOSITORY = Path(__file__).parents[2]
README = "config/README.md"
MODELS: dict[str, type[BaseModel]] = {
    "config": StudyConfig,
    "dataset": DatasetConfig,
    "experiment": ExperimentConfig,
    "gpus": GpuFile,
}
"""The kinds of files, and what each holds."""


def generated(root: Path = REPOSITORY) -> dict[Path, str]:
    """Every generated file under ``root`` with the text that it should hold."""
    texts = {root / f"workflow/schemas/{name}.schema.json": editor_schema(model) for name, model in MODELS.items()}
    readme = (root / README).read_text("utf-8")
    for name, model in MODELS.items():
        readme = _with_tables(readme, name, model)
    return texts | {root / README: readme}


def stale(root: Path = REPOSITORY) -> dict[Path, str]:
    """The generated files under ``root`` that hold something else, with the text that they should hold."""
    return {
        path: text for path, text in generated(root).items() if not path.exists() or path.read_text("utf-8") != text
    }


def _with_tables(readme: str, name: str, model: type[BaseModel]) -> str:
    begin, end = f"<!-- generated: {name} ({COMMAND}) -->", f"<!-- end of generated: {name} -->"
    tables = "\n\n".join(_tables(model))
    for key, times in _told_before(name).items():  # GitHub numbers the headings of one name from the second on
        tables = tables.replace(f"](#{key})", f"](#{key}-{times})")
    pattern = re.compile(re.escape(begin) + ".*?" + re.escape(end), re.DOTALL)
    text, count = pattern.subn(lambda _: f"{begin}\n\n{tables}\n\n{end}", readme)
    if count != 1:
        raise ValueError(f"{README} must hold once: {begin} ... {end}")
    return text


def _told_before(name: str) -> dict[str, int]:
    """Sections of a kind of files that files of earlier kinds have too, by how many of these."""
    earlier = [key for other in list(MODELS)[: list(MODELS).index(name)] for key in MODELS[other].model_fields]
    return {key: earlier.count(key) for key in MODELS[name].model_fields if key in earlier}


def _tables(model: type[BaseModel]) -> Iterator[str]:
    """One table for the file itself, then one for each of its sections and their kinds."""
    root = schema_of(model)
    yield _table(root, root)
    for key, schema in root["properties"].items():
        section = _of_any_name(concrete(root, schema), root) or concrete(root, schema)
        if not _is_section(section):
            continue
        yield f"### `{key}`"
        if not kinds(section):
            yield section["description"]
            yield _table(section, root)
            yield from _inner_tables(section, root)
        yield from _kinds(section, root)


def _kinds(section: Schema, root: Schema) -> Iterator[str]:
    """One table for each kind that ``section`` comes in."""
    for kind, option in zip(kinds(section), section.get("oneOf", []), strict=True):
        part = concrete(root, option)
        yield f"**`kind: {kind}`**: {part['description']}"
        if len(part["properties"]) > 1:
            yield _table(part, root)
            yield from _inner_tables(part, root)


def _inner_tables(section: Schema, root: Schema) -> Iterator[str]:
    """One table for each section inside ``section`` that is not also a section of a file."""
    for key, schema in section["properties"].items():
        inner = concrete(root, schema)
        if _is_section(inner) and not any(key in model.model_fields for model in MODELS.values()):
            yield f"#### `{key}`"
            if not kinds(inner):
                yield inner["description"]
                yield _table(inner, root)
            yield from _kinds(inner, root)
        elif part := _of_any_name(inner, root):
            yield f"#### `{key}`"
            yield part["description"]
            yield _table(part, root)


def _of_any_name(schema: Schema, root: Schema) -> Schema | None:
    """The section that a mapping holds under names of its author's."""
    inner = schema.get("additionalProperties")
    section = concrete(root, inner) if isinstance(inner, dict) else {}
    return section if _is_section(section) else None


def _table(section: Schema, root: Schema) -> str:
    rows = ["| key | what it is | allowed | default |", "|---|---|---|---|"]
    for key in keys(section):
        schema = section["properties"][key]
        # a kind that has a table of its own stands above it
        if key != "kind" or "enum" in concrete(root, schema):
            required = key in section.get("required", [])
            # pydantic leaves out a key's text that is also its section's
            what = schema.get("description") or concrete(root, schema)["description"]
            cells = (f"`{key}`", what, _allowed(key, schema, root), _default(schema, required))
            rows.append(f"| {' | '.join(_cell(text) for text in cells)} |")
    return "\n".join(rows)


def _cell(text: str) -> str:
    """``text`` on one line, where a table's row ends."""
    return " ".join(text.split()).replace("|", r"\|")


def _allowed(key: str, schema: Schema, root: Schema) -> str:
    schema = concrete(root, schema)
    has_table = _is_section(schema) or _of_any_name(schema, root)
    return f"see [{key}](#{key})" if has_table else allowed(schema, root)


def _is_section(schema: Schema) -> bool:
    return bool(kinds(schema)) or "properties" in schema


def _default(schema: Schema, required: bool) -> str:
    if required:
        return "**required**"
    default = schema["default"]
    if isinstance(default, dict):
        return f"`{{kind: {default['kind']}}}`" if "kind" in default else "as below"
    return "–" if default is None else f"`{_yaml(default)}`"


def _yaml(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def main(arguments: list[str] | None = None) -> None:
    """The command line. Exits with an error when a file is out of date and is not to be fixed."""
    parser = argparse.ArgumentParser(prog="python -m snaketorch.config.reference", description=__doc__)
    parser.add_argument("--fix", action="store_true", help="write the files that are out of date")
    fix = parser.parse_args(arguments).fix
    found = stale()
    if fix:
        for path, text in found.items():
            write_text(path, text)
    elif found:
        sys.exit(f"Out of date: {', '.join(map(str, found))}. Write them with: {COMMAND}")


if __name__ == "__main__":
    main()

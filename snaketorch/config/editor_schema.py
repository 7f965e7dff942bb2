"""JSON schemas with which editors complete, explain and check the YAML files.

Draft 7, which yaml-language-server reads best. Editors see one file and cannot know what ``extends``
brings, so a file that extends another, or that is only there to be extended, may leave out anything.
"""

import json
from typing import Any

from pydantic import BaseModel

from snaketorch.config.experiment import ExperimentConfig
from snaketorch.config.explain import Schema, concrete, kinds, schema_of
from snaketorch.config.resources import AUTO

_PART = "_part"
_REFERENCE = "#/definitions/"


def editor_schema(model: type[BaseModel]) -> str:
    """The text of the schema file for ``model``."""
    root = schema_of(model)
    definitions = {name: _for_editors(part) for name, part in root["$defs"].items()}
    whole = _for_editors({key: value for key, value in root.items() if key != "$defs"})
    head = {"$schema": "http://json-schema.org/draft-07/schema#", "title": model.__name__}
    if model is not ExperimentConfig:
        return _json(head | whole | {"definitions": definitions})

    _allow_task_names(whole, root)
    _allow_planned_resources(whole)
    parts = {name + _PART: _part(part) for name, part in definitions.items()}
    return _json(
        head
        | {
            "description": whole["description"],
            "if": {
                "anyOf": [
                    {"required": ["extends"]},
                    {"required": ["abstract"], "properties": {"abstract": {"const": True}}},
                ]
            },
            "then": _part(whole),
            "else": whole,
            "definitions": definitions | parts,
        }
    )


def _for_editors(schema: Any) -> Any:
    """``schema`` with draft 7's references, without OpenAPI's words and the titles that repeat the keys."""
    if isinstance(schema, list):
        return [_for_editors(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    result = {key: _for_editors(value) for key, value in schema.items() if not _is_noise(key, value)}
    if isinstance(reference := result.get("$ref"), str):
        result["$ref"] = _REFERENCE + reference.rsplit("/", 1)[1]
    return result


def _is_noise(key: str, value: Any) -> bool:
    return (key == "title" and isinstance(value, str)) or (key == "discriminator" and "propertyName" in value)


def _allow_task_names(experiment: Schema, root: Schema) -> None:
    """Adds `task: NAME`, short for `task: {kind: NAME}`, for tasks that need nothing else."""
    sections = root["properties"]["task"]
    mapping = sections["discriminator"]["mapping"]
    required = {kind: concrete(root, {"$ref": mapping[kind]})["required"] for kind in kinds(sections)}
    names = [kind for kind, keys in required.items() if keys == ["kind"]]
    task = experiment["properties"]["task"]
    experiment["properties"]["task"] = {
        "description": task.pop("description"),
        "anyOf": [{"enum": names}, task],
    }


def _allow_planned_resources(experiment: Schema) -> None:
    """Adds `resources: auto`."""
    resources = experiment["properties"]["resources"]
    about = {key: resources.pop(key) for key in ("description", "default") if key in resources}
    experiment["properties"]["resources"] = about | {"anyOf": [{"enum": [AUTO]}, resources]}


def _part(schema: Any) -> Any:
    """``schema`` for a file that need not be complete."""
    if isinstance(schema, list):
        return [_part(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    result = {}
    for key, value in schema.items():
        if key == "required" and isinstance(value, list):
            continue
        # without its kind, a section may be right for several kinds
        result["anyOf" if key == "oneOf" else key] = value + _PART if key == "$ref" else _part(value)
    return result


def _json(schema: Schema) -> str:
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"

"""Pydantic's errors in the words of this project: what is wrong, what is allowed, what was perhaps meant."""

from collections.abc import Iterator
from functools import cache
from typing import Any

from pydantic import BaseModel, ValidationError

from snaketorch.config.base import CLASS_PATH_IN_WORDS, CLASS_PATH_PATTERN, NAME_IN_WORDS, NAME_PATTERN
from snaketorch.config.document import UNREAD, Document
from snaketorch.config.domains import PATH_IN_WORDS, PATH_PATTERN
from snaketorch.config.problems import KeyPath, Problem, did_you_mean, shortened
from snaketorch.config.register import MODEL_NAME_IN_WORDS, MODEL_NAME_PATTERN
from snaketorch.config.resources import IN_WORDS as WORDS_OF_SLURM

Schema = dict[str, Any]

IN_WORDS = {NAME_PATTERN: NAME_IN_WORDS, CLASS_PATH_PATTERN: CLASS_PATH_IN_WORDS, **WORDS_OF_SLURM} | {
    PATH_PATTERN: PATH_IN_WORDS,
    MODEL_NAME_PATTERN: MODEL_NAME_IN_WORDS,
}

ABSENT = ("missing", "union_tag_not_found")
"""Errors of keys that are not there."""


@cache
def schema_of(model: type[BaseModel]) -> Schema:
    """The JSON schema of ``model``, made once."""
    return model.model_json_schema()


def explain(
    error: ValidationError, document: Document, model: type[BaseModel], whole: bool = True
) -> Iterator[Problem]:
    """One problem for each error of ``model`` in ``document``, at the line that caused it.

    What could not be read was reported where it stands, and is no second problem. Keys that are not
    there are problems of a document that should be ``whole``.
    """
    root = schema_of(model)
    for item in error.errors(include_url=False):
        if _follows_from_unread(item) or (item["type"] in ABSENT and not whole):
            continue
        path, schema = _locate(root, item["loc"])
        message = _message(item, path, schema, root)
        place = document.gap(path) if item["type"] in ABSENT else document.position(path)
        if item["type"] == "union_tag_invalid" and (*path, "kind") in document.positions:
            path = (*path, "kind")
            place = document.position(path)
        yield Problem.at(place, path, message)


def _follows_from_unread(item: dict[str, Any]) -> bool:
    value, kind = item["input"], item["type"]
    if kind == "extra_forbidden":
        return value is UNREAD and item["loc"][-1] == "<<"
    if kind in ABSENT:
        return isinstance(value, dict) and value.get("<<") is UNREAD
    return value is UNREAD or (kind == "union_tag_invalid" and value.get("kind") is UNREAD)


def _locate(root: Schema, loc: tuple[str | int, ...]) -> tuple[KeyPath, Schema]:
    """The keys in ``loc``, without the union tags that pydantic puts into it, and the schema there.

    For an unknown key it is the schema of the section around it.
    """
    path: list[str | int] = []
    schema = concrete(root, root)
    for place, element in enumerate(loc):
        if "discriminator" in schema:
            schema = concrete(root, {"$ref": schema["discriminator"]["mapping"][element]})
            continue
        if "oneOf" in schema:  # text or a section, and the element says which
            if place + 1 < len(loc):
                options = (concrete(root, option) for option in schema["oneOf"])
                schema = next(option for option in options if ("properties" in option) == (element == "section"))
            continue
        path.append(element)
        known = schema.get("properties", {})
        inner = schema.get("items") if isinstance(element, int) else known.get(element) or _of_any_name(schema)
        if inner is not None:
            schema = concrete(root, inner)
    return tuple(path), schema


def _of_any_name(schema: Schema) -> Schema | None:
    """What a mapping holds under names of its author's."""
    inner = schema.get("additionalProperties")
    return inner if isinstance(inner, dict) else None


def concrete(root: Schema, schema: Schema) -> Schema:
    """``schema`` with references followed, and without the alternative null."""
    while True:
        if "$ref" in schema:
            schema = root["$defs"][schema["$ref"].rsplit("/", 1)[1]]
        elif "anyOf" in schema:
            schema = next(option for option in schema["anyOf"] if option.get("type") != "null")
        else:
            return schema


def _message(item: dict[str, Any], path: KeyPath, schema: Schema, root: Schema) -> str:
    value = item["input"]
    match item["type"]:
        case "extra_forbidden":
            known = keys(schema)
            return f"unknown key; allowed: {', '.join(known)}{did_you_mean(str(path[-1]), known)}"
        case "missing":
            return f"is required; allowed: {allowed(schema, root)}"
        case "union_tag_invalid":
            kind, known = value["kind"], kinds(schema)
            hint = did_you_mean(kind, known) if isinstance(kind, str) else ""
            return f"{shown(kind)} is not possible; allowed: {', '.join(known)}{hint}"
        case "union_tag_not_found":
            return f"needs 'kind'; allowed: {', '.join(kinds(schema))}"
        case "value_error":
            return str(item["ctx"]["error"])
    return f"{shown(value)} is not possible; allowed: {allowed(schema, root)}{_hint(value, schema)}"


def _hint(value: Any, schema: Schema) -> str:
    """What the author of ``value`` perhaps meant."""
    if value in kinds(schema):
        return f"; did you mean {{kind: {value}}}?"
    if schema.get("type") == "array" and isinstance(value, str | int):
        return f"; did you mean [{shortened(str(value))}]?"
    return did_you_mean(value, map(str, schema.get("enum", []))) if isinstance(value, str) else ""


def shown(value: Any) -> str:
    """``value`` as its author wrote it, with its kind, short."""
    match value:
        case None:
            return "nothing (null)"
        case bool():
            return str(value).lower()
        case dict():
            return "a mapping"
        case []:
            return "an empty list"
        case list():
            return f"a list of {len(value)}"
        case str():
            return f"'{shortened(value)}' (text)"
    return shortened(str(value))


def kinds(schema: Schema) -> list[str]:
    """What ``kind`` may be in a section that comes in several kinds; nothing for other schemas."""
    references = {reference: kind for kind, reference in schema.get("discriminator", {}).get("mapping", {}).items()}
    return [references[option["$ref"]] for option in schema["oneOf"]] if references else []


def keys(schema: Schema) -> list[str]:
    """The keys of a section, ``kind`` first."""
    return sorted(schema.get("properties", {}), key=lambda key: key != "kind")


def allowed(schema: Schema, root: Schema) -> str:
    """The values that ``schema`` admits, in words."""
    schema = concrete(root, schema)
    if "enum" in schema:
        return ", ".join(map(str, schema["enum"]))
    if "const" in schema:
        return str(schema["const"])
    if kinds(schema):
        return f"a mapping with 'kind': {', '.join(kinds(schema))}"
    if "oneOf" in schema:
        return ", or ".join(allowed(option, root) for option in schema["oneOf"])
    match schema.get("type"):
        case None if not schema.keys() - {"title", "description", "default"}:
            return "anything"
        case "integer" if schema.get("minimum", -1) == schema.get("maximum"):
            return str(schema["minimum"])
        case "integer":
            return f"a whole number{_bounds(schema)}"
        case "number":
            return f"a number{_bounds(schema)}"
        case "boolean":
            return "true or false"
        case "array":
            least, most = schema.get("minItems", 0), schema.get("maxItems")
            count = f" of {least}" if least == most else " of at least one" if least == 1 else ""
            return f"a list{count}, each {allowed(schema['items'], root)}"
        case "object":
            if "properties" in schema:
                return f"a mapping with the keys {', '.join(keys(schema))}"
            return "a mapping" + (", not empty" if schema.get("minProperties") else "")
        case "string":
            return _text(schema)
    raise NotImplementedError(f"no words yet for the schema {schema}")


def _text(schema: Schema) -> str:
    if schema.get("pattern") in IN_WORDS:
        return IN_WORDS[schema["pattern"]]
    text = "one line of text" if "pattern" in schema else "text"
    most = f" of at most {schema['maxLength']} characters" if "maxLength" in schema else ""
    return text + most + (", not empty" if schema.get("minLength") else "")


def _bounds(schema: Schema) -> str:
    """`` of at least 0 and below 1``: the bounds of a number, in words."""
    words = {
        "exclusiveMinimum": "above",
        "minimum": "of at least",
        "exclusiveMaximum": "below",
        "maximum": "of at most",
    }
    found = [f"{word} {_short(schema[key])}" for key, word in words.items() if key in schema]
    return " " + " and ".join(found) if found else ""


def _short(number: float) -> str:
    return f"{number:,}" if isinstance(number, int) else f"{number:g}"

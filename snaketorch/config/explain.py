"""Pydantic's errors in the words of this project: what is wrong, what is allowed, what was perhaps meant."""

from collections.abc import Iterable
from typing import Any

from pydantic import BaseModel, ValidationError

from snaketorch.config.problems import Problem, did_you_mean
from snaketorch.config.yaml_loader import Document, KeyPath, Position

Schema = dict[str, Any]


def explain(error: ValidationError, model: type[BaseModel], document: Document) -> Iterable[Problem]:
    """One problem for each error of ``model`` in ``document``, at the line that caused it."""
    root = model.model_json_schema()
    for item in error.errors(include_url=False):
        path = _path_in(document.data, item["loc"])
        file, line = position(document, path)
        message = _message(item, path, _subschema(root, path, document.data))
        yield Problem(file, line, ".".join(map(str, path)), message)


def _path_in(data: Any, loc: tuple[str | int, ...]) -> KeyPath:
    """``loc`` without the union tags that pydantic puts into it."""
    path: list[str | int] = []
    for position, element in enumerate(loc):
        is_tag = isinstance(data, dict) and element not in data and element == data.get("kind")
        if is_tag or (isinstance(data, str) and element == data):
            continue
        path.append(element)
        try:
            data = data[element]
        except (KeyError, IndexError, TypeError):
            data = None
            path.extend(loc[position + 1 :])
            break
    return tuple(path)


def position(document: Document, path: KeyPath) -> Position:
    """Where ``path`` stands, or the nearest section around it."""
    for length in range(len(path), -1, -1):
        if path[:length] in document.positions:
            return document.positions[path[:length]]
    return document.file, 0


def _subschema(root: Schema, path: KeyPath, data: Any) -> Schema:
    schema = _concrete(root, root, data)
    for element in path:
        data = data[element] if _holds(data, element) else None
        if isinstance(element, int):
            schema = schema.get("items", {})
        else:
            parent, schema = schema, schema.get("properties", {}).get(element)
            if schema is None:  # an unknown key: what is allowed is its neighbours
                return parent
        schema = _concrete(root, schema, data)
    return schema


def _holds(data: Any, element: str | int) -> bool:
    return (isinstance(data, dict) and element in data) or (
        isinstance(data, list) and isinstance(element, int) and element < len(data)
    )


def _concrete(root: Schema, schema: Schema, data: Any) -> Schema:
    """``schema`` with references followed, and of its alternatives the one that ``data`` names."""
    while True:
        if "$ref" in schema:
            schema = root["$defs"][schema["$ref"].rsplit("/", 1)[1]]
        elif "allOf" in schema:
            schema = schema["allOf"][0]
        elif "anyOf" in schema:
            schema = next(option for option in schema["anyOf"] if option.get("type") != "null")
        elif "discriminator" in schema:
            mapping = schema["discriminator"]["mapping"]
            kind = data.get("kind") if isinstance(data, dict) else None
            if kind not in mapping:
                return {"enum": list(mapping)}
            schema = {"$ref": mapping[kind]}
        else:
            return schema


def _message(item: dict[str, Any], path: KeyPath, schema: Schema) -> str:
    kind, value, context = item["type"], item.get("input"), item.get("ctx", {})
    if kind == "extra_forbidden":
        known = list(schema.get("properties", {}))
        return f"unknown key; allowed: {', '.join(known)}{did_you_mean(path[-1], known)}"
    if kind == "missing":
        return f"is required; allowed: {allowed(schema)}"
    if kind == "union_tag_invalid":
        known = schema.get("enum", [])
        return f"unknown kind '{context['tag']}'; allowed: {', '.join(known)}{did_you_mean(context['tag'], known)}"
    if kind == "union_tag_not_found":
        return f"needs 'kind'; allowed: {', '.join(schema.get('enum', []))}"
    if kind in ("literal_error", "enum"):
        known = [str(option) for option in schema.get("enum", [schema.get("const")])]
        return f"{shown(value)} is not possible; allowed: {', '.join(known)}{did_you_mean(value, known)}"
    if kind == "value_error":
        return str(context["error"])
    return f"{shown(value)} is not possible; allowed: {allowed(schema)}"


def shown(value: Any) -> str:
    """``value`` as its author wrote it, with its kind, short."""
    if value is None:
        return "nothing (null)"
    if isinstance(value, bool):
        return f"{str(value).lower()} (true or false)"
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, list):
        return "a list" if value else "an empty list"
    text = str(value)
    text = text if len(text) <= 60 else text[:57] + "..."
    return f"'{text}' (text)" if isinstance(value, str) else text


def allowed(schema: Schema) -> str:
    """The values that ``schema`` admits, in words."""
    if "enum" in schema:
        return ", ".join(map(str, schema["enum"]))
    if "const" in schema:
        return str(schema["const"])
    match schema.get("type"):
        case "integer":
            return f"a whole number{_bounds(schema)}"
        case "number":
            return f"a number{_bounds(schema)}"
        case "boolean":
            return "true or false"
        case "array":
            least, most = schema.get("minItems", 0), schema.get("maxItems")
            count = f" of {least}" if least == most else " of at least one" if least == 1 else ""
            return f"a list{count}: {allowed(schema['items'])} each" if "items" in schema else f"a list{count}"
        case "object":
            return f"a mapping with the keys {', '.join(schema.get('properties', {}))}"
        case "string" if "pattern" in schema and "A-Za-z0-9" in schema["pattern"]:
            return "letters, digits, '_' and '-', at most 64, beginning with a letter or digit"
        case "string":
            return "text of one line" if "pattern" in schema else "text"
    return "see config/README.md"


def _bounds(schema: Schema) -> str:
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

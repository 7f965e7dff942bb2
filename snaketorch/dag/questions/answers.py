"""The forms of an answer: canonical JSON of a spec, the digest of a step's code, arguments."""

from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import Any

from snaketorch.config.base import Section
from snaketorch.dag.code import code_digest, module_digest
from snaketorch.provenance import canonical_json, digest

OF_THE_TEST = ("evaluator", "metrics", "test_keys")
"""What a task says of its test, and no training depends on."""


def kinds_of(sections: Iterable[Section | None]) -> list[Section]:
    """One section for each that has code of its own."""
    found: dict[Any, Section] = {}
    for section in sections:
        if section is not None:
            own = (getattr(section, "implementation", None), getattr(section, "class_path", None))
            found.setdefault((type(section), own), section)
    return list(found.values())


def as_arguments(models: Mapping[str, str]) -> list[str]:
    """The files of models, by what they are for, as arguments of a step."""
    return [word for need, path in models.items() for word in ("--uses", f"{need}={path}")]


def spec_json(spec: type[Section], values: dict[str, Any]) -> str:
    """Canonical JSON of the fields of ``spec``, which are a choice of ``values``."""
    chosen = {name: values[name] for name in spec.model_fields}
    return canonical_json(spec.model_construct(**chosen).model_dump(mode="json"))


def step_code(step: str, *sections: Section | None, without: Collection[str] = (), also: Collection[str] = ()) -> str:
    """Digest of a step's modules, of those that ``sections`` and ``also`` name, and of what the sections say of them.

    The user's own modules, which a section names by ``class_path``, are among them.
    """
    there = [section for section in sections if section is not None]
    said = [
        {name: getattr(section, name) for name in sorted(type(section).__class_vars__) if name not in without}
        for section in there
    ]
    own = [module_digest(section.class_path, Path.cwd()) for section in there if hasattr(section, "class_path")]
    named = [value[key] for value in said for key in ("implementation", "evaluator") if key in value]
    parts = {"modules": code_digest(step, *named, *also), "sections": said}
    return digest({**parts, "own": own} if any(own) else parts)

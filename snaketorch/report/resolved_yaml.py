"""The resolved configuration of an experiment as YAML that people like to read and that loads back equal."""

from typing import Any

import yaml

from snaketorch.config.experiment import AFTER_THE_SUMMARY, ExperimentConfig
from snaketorch.config.yaml_loader import parse_scalar


def resolved_yaml(experiment: str, config: ExperimentConfig) -> str:
    """The file ``config.yaml`` beside the results."""
    content = config.model_dump(mode="json")
    for key in ("extends", "abstract", *AFTER_THE_SUMMARY):
        if not content[key]:  # as if it were not there
            del content[key]
    return (
        f"# What experiment '{experiment}' was run with: its file, what that extends, and every default written out.\n"
        f"# A result, made with summary.json: to change the experiment, edit config/experiments/{experiment}.yaml.\n\n"
        f"{as_yaml(content)}"
    )


def as_yaml(content: dict[str, Any]) -> str:
    """Any sections of a configuration, every one's kind first."""
    return yaml.dump(_kind_first(content), Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=float("inf"))


def _kind_first(value: Any) -> Any:
    """A section says first what it is, as its author would write it."""
    if not isinstance(value, dict):
        return value
    ordered = sorted(value, key=lambda key: key != "kind")
    return {key: _kind_first(value[key]) for key in ordered}


class _Dumper(yaml.SafeDumper):
    """PyYAML quotes what YAML 1.1 would take for something else than text; this package reads YAML 1.2."""


def _text(dumper: _Dumper, value: str) -> yaml.Node:
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style=None if _is_plain(value) else '"')


def _is_plain(value: str) -> bool:
    """Whether this package reads it as text without quotes; where YAML's syntax wants quotes, PyYAML sets them."""
    try:
        # unprintable characters, line ends of Unicode among them, are safe as escapes only
        return value.isprintable() and isinstance(parse_scalar(value), str)
    except ValueError:
        return False


def _list(dumper: _Dumper, value: list[Any]) -> yaml.Node:
    """A list of plain values stays in one line."""
    nested = any(isinstance(item, list | dict) for item in value)
    return dumper.represent_sequence("tag:yaml.org,2002:seq", value, flow_style=not nested)


_Dumper.add_representer(str, _text)
_Dumper.add_representer(list, _list)

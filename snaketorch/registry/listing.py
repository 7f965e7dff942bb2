"""What is in the registry: registered models, their versions, aliases and lineage."""

import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

from mlflow import MlflowClient
from mlflow.entities.model_registry import ModelVersion

from snaketorch.errors import UserError
from snaketorch.registry.aliases import AUDIT_TAG, ROLLED_BACK, Model
from snaketorch.registry.promotion import GATE, REASONS
from snaketorch.registry.watched import of_tags

LINEAGE = ("experiment", "seed", "data", "data_digest", "spec_digest", "code_digest")
LINEAGE += ("git_commit", "run_key", "slurm_job")
HEADINGS = ("version", "aliases", "gate", "metric", "from", "data", "registered")


def listing(client: MlflowClient, registry: str, name: str | None, as_json: bool) -> str:
    """All models, or the one with this name, as a table or as JSON. UserError when there is no such model."""
    models = [_model(Model(client, each, registry)) for each in ([name] if name else _names(client))]
    if name and not models[0]["versions"] and not Model(client, name, registry).exists:
        known = ", ".join(_names(client)) or "there is none"
        raise UserError(f"there is no registered model '{name}' at {registry}; there are: {known}")
    if as_json:
        return json.dumps({"registry": registry, "models": models}, indent=2, ensure_ascii=False)
    if not models:
        return f"No model is registered at {registry}."
    return "\n\n".join(_text(model) for model in models)


def _names(client: MlflowClient) -> list[str]:
    found, token = [], None
    while True:
        page = client.search_registered_models(page_token=token)
        found += [model.name for model in page]
        token = page.token
        if not token:
            return sorted(found)


def _model(model: Model) -> dict[str, Any]:
    aliases = model.aliases
    return {
        "name": model.name,
        "aliases": aliases,
        "versions": [_version(version, aliases) for version in model.versions],
    }


def _version(version: ModelVersion, aliases: dict[str, str | None]) -> dict[str, Any]:
    number, tags = str(version.version), version.tags
    made = datetime.fromtimestamp(version.creation_timestamp / 1000, UTC)
    return {
        "version": number,
        "aliases": [alias for alias, of in aliases.items() if of == number],
        "gate": tags.get(GATE),
        "reasons": tags.get(REASONS),
        "rolled_back": ROLLED_BACK in tags,
        "metric": tags.get("snaketorch.metric"),
        "value": float(tags["snaketorch.value"]) if tags.get("snaketorch.value") else None,
        "monitoring": of_tags(tags),
        "registered": made.isoformat(timespec="seconds"),
        "run_id": version.run_id,
        "lineage": {key: tags[f"snaketorch.{key}"] for key in LINEAGE if f"snaketorch.{key}" in tags},
        "audit": _audit(tags),
    }


def _audit(tags: Mapping[str, str]) -> list[dict[str, Any]]:
    """The lines of the audit that a version repeats, the oldest first; one that cannot be read is passed over."""
    found = []
    for key, text in tags.items():
        if key.startswith(AUDIT_TAG):
            with suppress(ValueError):
                found.append(json.loads(text))
    return sorted((line for line in found if isinstance(line, dict)), key=lambda line: str(line.get("time")))


def _text(model: dict[str, Any]) -> str:
    rows = [HEADINGS, *(_row(version) for version in model["versions"])]
    widths = [max(len(row[place]) for row in rows) for place in range(len(HEADINGS))]
    return "\n".join([model["name"], *(_line(row, widths) for row in rows)])


def _row(version: dict[str, Any]) -> tuple[str, ...]:
    lineage = version["lineage"]
    aliases = version["aliases"] + (["rolled back"] if version["rolled_back"] else [])
    value = f"{version['metric']} {version['value']:.4g}" if version["value"] is not None else "–"
    origin = f"{lineage['experiment']}, seed {lineage.get('seed')}" if "experiment" in lineage else "–"
    data = f"{lineage.get('data', '')} {lineage['data_digest'][:8]}".strip() if "data_digest" in lineage else "–"
    made = version["registered"][:16].replace("T", " ")
    return (version["version"], ", ".join(aliases) or "–", version["gate"] or "–", value, origin, data, made)


def _line(row: Sequence[str], widths: Sequence[int]) -> str:
    return "  " + "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()

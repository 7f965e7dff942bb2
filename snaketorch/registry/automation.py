"""What becomes of a model that was promoted on its own, once new data has been watched: it stays, or goes back."""

import logging
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from snaketorch import layout, provenance
from snaketorch.config.specs import SettleSpec
from snaketorch.errors import UserError
from snaketorch.freshness import read_json
from snaketorch.publish import write_json
from snaketorch.registry.aliases import CHAMPION, PREVIOUS, Model
from snaketorch.registry.audit import Audit
from snaketorch.registry.promotion import rollback
from snaketorch.registry.reach import registry

log = logging.getLogger(__name__)

FORMAT = 1


def settle(
    spec: SettleSpec,
    *,
    registration: Path,
    alerts: Sequence[Path],
    settlement: Path,
    code: str,
    audit: Path = Path(layout.AUDIT),
) -> dict[str, Any]:
    """Goes back to the champion before when the data that the new one meets raises an alert.

    May be repeated: only the version that was registered is taken back, and only while it is the champion.

    Args:
        spec: Whose model.
        registration: What came of its gate.
        alerts: Of every dataset that is watched, of the same model.
        settlement: Published: what was decided, and why.
        code: Digest of the modules that this step imports.
        audit: Is added to.

    Returns:
        What was published.

    Raises:
        UserError: A file cannot be read.
        TrackingError: There is an alert, and the registry cannot be used now. The next attempt goes back.
    """
    started, clock = datetime.now(UTC), time.monotonic()
    (entered, sha256), read = read_json(registration), {path: read_json(path) for path in alerts}
    reasons = [f"{path.parent.name}: {why}" for path, (alert, _) in read.items() for why in _why(alert)]
    decision, said, aliases = _settled(entered, reasons, Audit(audit))
    content = {
        "format": FORMAT,
        "experiment": spec.experiment,
        "name": entered["name"],
        "version": entered["version"],
        "decision": decision,
        "said": said,
        "alerts": reasons,
        "aliases": aliases,
        "record": {
            "spec": spec.model_dump(mode="json"),
            "code_digest": code,
            "inputs": {
                "registration": {"sha256": sha256},
                "alerts": [{"path": str(path), "sha256": sha256} for path, (_, sha256) in read.items()],
            },
            "host": provenance.host(),
            "started": started.isoformat(timespec="seconds"),
            "wall_seconds": round(time.monotonic() - clock, 3),
        },
    }
    write_json(settlement, content)
    log.log(logging.WARNING if reasons else logging.INFO, "%s: %s: %s", spec.experiment, decision, said)
    return content


def _why(alert: dict[str, Any]) -> list[str]:
    """The reasons of an alert; none where there is no alert."""
    return (alert["reasons"] or ["an alert"]) if alert["alert"] else []


def _settled(entered: dict[str, Any], reasons: list[str], audit: Audit) -> tuple[str, str, dict[str, str | None]]:
    """The decision, what there is to say of it, and the aliases after it."""
    name, version, aliases = entered["name"], entered["version"], entered["aliases"]
    if aliases.get(CHAMPION) is None or aliases[CHAMPION] != version:
        return "not promoted", f"the gate's decision was {entered['decision']}; no version was promoted", aliases
    if not reasons:
        return "kept", f"version {version} of {name} meets data like that of its training", aliases
    with registry() as (client, address):
        model = Model(client, name, address)
        there = model.aliases
        if there[CHAMPION] == version and there[PREVIOUS] in (None, version):
            said = f"there is an alert, and no champion before version {version} of {name} to go back to"
            return "alert", said, there
        try:
            said, moved = rollback(model, audit, f"monitoring: {'; '.join(reasons)}", of=version)
        except UserError as error:  # as of a registry that somebody has emptied
            return "alert", f"there is an alert, and no way back: {error}", model.aliases
    done = moved.aliases[CHAMPION] != version
    return "rolled back" if done else "alert", said, moved.aliases

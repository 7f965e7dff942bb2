"""Which version is the champion: promote, go back, and the stages that MLflow had before it had aliases."""

from mlflow.entities.model_registry import ModelVersion

from snaketorch.errors import UserError
from snaketorch.registry.aliases import CANDIDATE, CHAMPION, PREVIOUS, ROLLED_BACK, Model
from snaketorch.registry.audit import Aliases, Audit
from snaketorch.registry.moves import Moved, Seen, heal, move, turn

GATE = "snaketorch.gate"
"""Tag of a version: ``accepted`` or ``refused``."""
REASONS = "snaketorch.gate_reasons"
STAGES = {"Production": CHAMPION, "Staging": CANDIDATE, "Archived": None, "None": None}
"""MLflow's old stages, and the alias that a version of it has here; without one it has neither of both."""


class ChampionChanged(Exception):  # noqa: N818 - named for what happened
    """Another version became the champion while one was compared with the champion before."""


def promote(
    model: Model, audit: Audit, version: str | None, reason: str, compared: Aliases | None = None
) -> tuple[str, Moved]:
    """Makes a version the champion, by default the candidate; the one that was becomes `previous_champion`.

    A version that is the champion stays it, and nothing is written down.

    Args:
        model: The registered model.
        audit: Is told.
        version: Which one; the candidate when None, unless somebody has gone back from it.
        reason: Why.
        compared: The aliases when it was compared with the champion, which must be the same still; None for who
            compared nothing.

    Returns:
        What was done, in words; and what came of it.

    Raises:
        ChampionChanged: It is another one.
        UserError: There is no such version, or its gate refused it and no reason is given, or it is the candidate that
            was rolled back and nobody names it.
    """
    with turn(audit, model.registry):
        heal(model, audit)
        seen = Seen.of(model)
        aliases = seen.aliases
        wanted = version or aliases[CANDIDATE]
        if wanted is None:
            _require(model)
            raise UserError(f"'{model.name}' has no candidate; say which version: --version N")
        found = model.version(wanted)
        if version is None and ROLLED_BACK in found.tags:
            raise UserError(
                f"version {wanted} of '{model.name}', the candidate, was rolled back; to promote it again, say so: "
                f"--version {wanted}"
            )
        version = str(found.version)
        if aliases[CHAMPION] == version:
            return f"version {version} of {model.name} is the champion already", Moved(aliases, None)
        if compared and compared[CHAMPION] != aliases[CHAMPION]:
            raise ChampionChanged
        _require_gate(found, reason)
        steps = [(CHAMPION, version)]
        if aliases[CHAMPION]:
            steps.insert(0, (PREVIOUS, aliases[CHAMPION]))
        elif aliases[PREVIOUS] == version:  # somebody deleted the champion, and the one before it is it again
            steps.append((PREVIOUS, None))
        moved = move(model, audit, seen, "promote", version, steps, reason)
    if moved.entry.state == "overtaken":
        done = f"version {version} of {model.name} was promoted while another was too"
        return f"{done}: version {moved.aliases[CHAMPION]} is the champion", moved
    was = f", version {moved.aliases[PREVIOUS]} was it before" if moved.aliases[PREVIOUS] else ""
    return f"version {version} of {model.name} is the champion{was}", moved


def rollback(model: Model, audit: Audit, reason: str, of: str | None = None) -> tuple[str, Moved]:
    """Makes `previous_champion` the champion again, and the champion `previous_champion`.

    Once is enough: where somebody has gone back already, a second time would bring the worse version again, and
    nothing is done. Nor is it where ``of`` is given and another version is the champion.

    UserError when there is no version to go back to.
    """
    with turn(audit, model.registry):
        heal(model, audit)
        seen = Seen.of(model)
        aliases = seen.aliases
        _require(model)
        bad, good = aliases[CHAMPION], aliases[PREVIOUS]
        if of and bad != of:
            return f"version {of} of {model.name} is not the champion any more", Moved(aliases, None)
        if bad is None or good is None or bad == good:
            lacks = "champion" if bad is None else "previous champion to go back to"
            way = f"; `promote {model.name} --version {good}` makes the one before it" if bad is None and good else ""
            raise UserError(f"'{model.name}' has no {lacks}{way}")
        if ROLLED_BACK in model.version(good).tags:
            back = f"`promote {model.name} --version {good}` would make it the champion again"
            return f"{model.name} was rolled back already, from version {good} to {bad}; {back}", Moved(aliases, None)
        # first what matters
        moved = move(model, audit, seen, "rollback", bad, [(CHAMPION, good), (PREVIOUS, bad)], reason)
    return f"version {moved.aliases[CHAMPION]} of {model.name} is the champion again, version {bad} is not", moved


def put_in_stage(model: Model, audit: Audit, stage: str, version: str | None, reason: str) -> tuple[str, Moved]:
    """What ``transition_model_version_stage`` did, in aliases (``STAGES``). UserError as with ``promote``."""
    if STAGES[stage] == CHAMPION:
        return promote(model, audit, version, reason)
    if version is None:
        raise UserError(f"--stage {stage} is of one version; say which: --version N")
    with turn(audit, model.registry):
        heal(model, audit)
        found = model.version(version)
        version = str(found.version)
        seen = Seen.of(model)
        aliases = seen.aliases
        if STAGES[stage] == CANDIDATE:
            _require_gate(found, reason)
            steps = [(CANDIDATE, version)] if aliases[CANDIDATE] != version else []
        elif aliases[CHAMPION] == version:
            raise UserError(f"version {version} of '{model.name}' is the champion; promote another one, or roll back")
        else:
            steps = [(alias, None) for alias in (CANDIDATE, PREVIOUS) if aliases[alias] == version]
        action = "candidate" if STAGES[stage] == CANDIDATE else "archive"
        moved = move(model, audit, seen, action, version, steps, reason) if steps else Moved(aliases, None)
    there = [alias for alias, of in moved.aliases.items() if of == version]
    return f"version {version} of {model.name} has {' and '.join(there) or 'no alias'}", moved


def make_candidate(model: Model, audit: Audit, version: str, reason: str) -> Moved:
    """Gives a version that has passed its gate the alias `candidate`, once."""
    with turn(audit, model.registry):
        heal(model, audit)
        seen = Seen.of(model)
        aliases = seen.aliases
        if aliases[CANDIDATE] == version:
            return Moved(aliases, None)
        return move(model, audit, seen, "candidate", version, [(CANDIDATE, version)], reason)


def _require_gate(version: ModelVersion, reason: str) -> None:
    if version.tags.get(GATE) == "refused" and not reason:
        raise UserError(
            f"the gate refused version {version.version} of '{version.name}' "
            f"({version.tags.get(REASONS, 'no reason is told')}); to do this all the same, say why: --reason TEXT"
        )


def _require(model: Model) -> None:
    if not model.exists:
        raise UserError(f"there is no registered model '{model.name}' at {model.registry}")

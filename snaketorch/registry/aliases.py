"""A registered model and its aliases: what is there, and single changes of it."""

import json
from dataclasses import asdict, dataclass
from datetime import datetime

from mlflow import MlflowClient
from mlflow.entities.model_registry import ModelVersion
from mlflow.entities.model_registry.model_version_search import ModelVersionSearch
from mlflow.exceptions import MlflowException

from snaketorch.errors import UserError
from snaketorch.registry.audit import Aliases, Entry
from snaketorch.tracking.limits import TAG_LENGTH, cut

CANDIDATE, CHAMPION, PREVIOUS = "candidate", "champion", "previous_champion"
ALIASES = (CANDIDATE, CHAMPION, PREVIOUS)
AUDIT_TAG = "snaketorch.audit."
"""Begins the names of tags that repeat lines of the audit at the version that they are of."""
ROLLED_BACK = "snaketorch.rolled_back"
"""Tag of a version from which somebody went back, and that nobody promoted since."""
_NOT_THERE = ("RESOURCE_DOES_NOT_EXIST", "NOT_FOUND")
_MOST_DIGITS = 9
"""Of a version's number: databases have 32 bits for it."""


@dataclass(frozen=True)
class Told:
    """What a version tells of a move of the champion."""

    champion: str | None
    """That was meant, or came of it."""
    is_begun: bool
    """Whether nobody has told of its end."""
    time: datetime


@dataclass(frozen=True)
class Model:
    """One registered model in one registry."""

    client: MlflowClient
    name: str
    registry: str
    """Address, without credentials."""

    @property
    def exists(self) -> bool:
        """Whether it is there."""
        return self._found is not None

    @property
    def aliases(self) -> Aliases:
        """The version of each of our aliases; None where it has none."""
        found = self._found
        there = found.aliases if found else {}
        return {alias: str(there[alias]) if alias in there else None for alias in ALIASES}

    @property
    def versions(self) -> list[ModelVersion]:
        """All versions, the newest first."""
        return versions_of(self.client, self.name)

    def version(self, number: str) -> ModelVersion:
        """A version, which may be asked for as `07` too. UserError when there is none."""
        if number.isdecimal() and len(number) <= _MOST_DIGITS:
            try:
                return self.client.get_model_version(self.name, str(int(number)))
            except MlflowException as error:
                if error.error_code not in _NOT_THERE:
                    raise
        numbers = [str(version.version) for version in self.versions]
        if not numbers:
            raise UserError(f"there is no registered model '{self.name}' at {self.registry}")
        raise UserError(f"'{self.name}' has no version {number}; allowed: {', '.join(reversed(numbers))}")

    def set(self, alias: str, version: str | None) -> None:
        """Gives an alias to a version, or to none."""
        if version is None:
            self.client.delete_registered_model_alias(self.name, alias)
        else:
            self.client.set_registered_model_alias(self.name, alias, version)

    def tag(self, version: str, name: str, value: str | None) -> None:
        """Sets a tag of a version, or removes it."""
        if value is not None:
            self.client.set_model_version_tag(self.name, version, name, cut(value, TAG_LENGTH))
        elif name in self.version(version).tags:
            self.client.delete_model_version_tag(self.name, version, name)

    def note(self, entry: Entry) -> None:
        """Repeats a line of the audit as a tag of its version; the second line of a move replaces the first."""
        content = {key: value for key, value in asdict(entry).items() if key not in ("id", "model", "version")}
        too_much = len(json.dumps(content, ensure_ascii=False)) - TAG_LENGTH
        if too_much > 0:  # the file has all of it; half a line of JSON nobody could read
            content["reason"] = cut(entry.reason, max(2, len(entry.reason) - too_much))
        self.tag(entry.version, f"{AUDIT_TAG}{entry.id}", json.dumps(content, ensure_ascii=False))

    def moves(self) -> dict[str, Told]:
        """Moves of the champion that versions tell of, by their ids."""
        found = {}
        for version in self.versions:
            for name, text in version.tags.items():
                if name.startswith(AUDIT_TAG) and (told := _told(text)):
                    found[name.removeprefix(AUDIT_TAG)] = told
        return found

    @property
    def _found(self):
        try:
            return self.client.get_registered_model(self.name)
        except MlflowException as error:
            if error.error_code in _NOT_THERE:
                return None
            raise


def versions_of(client: MlflowClient, name: str) -> list[ModelVersion]:
    """All versions of a registered model, the newest first; none where there is no such model."""
    found: list[ModelVersion] = []
    token = None
    while True:
        page = client.search_model_versions(_called(name), page_token=token)
        found += [_with_tags(client, version) for version in page if version.name == name]
        token = page.token
        if not token:
            return sorted(found, key=lambda version: -int(version.version))


def _with_tags(client: MlflowClient, version: ModelVersion) -> ModelVersion:
    """What a search of Unity Catalog finds has none: there each version is asked for."""
    if isinstance(version, ModelVersionSearch):
        return client.get_model_version(version.name, version.version)
    return version


def _called(name: str) -> str:
    """A search for a name; for everything where it has quotes of both kinds, which no search of MLflow can say."""
    return next((f"name={quote}{name}{quote}" for quote in "'\"" if quote not in name), "")


def _told(text: str) -> Told | None:
    """None for other moves, and for what cannot be read."""
    try:
        entry = json.loads(text)
        if entry["action"] not in ("promote", "rollback"):
            return None
        return Told(entry["after"][CHAMPION], entry["state"] == "begun", datetime.fromisoformat(entry["time"]))
    except (ValueError, KeyError, TypeError):
        return None

"""Which sweep a spec describes: the folder of its state, and the earlier sweeps whose trials it may take over."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Self

from snaketorch.config.specs import TuneSpec
from snaketorch.errors import UserError
from snaketorch.provenance import file_sha256
from snaketorch.publish import write_json
from snaketorch.state.identity import sweep_digests

FILE = "sweep.json"


@dataclass(frozen=True)
class SweepIdentity:
    """All that the trials of a sweep depend on, as digests."""

    trainings: str
    """Of everything but the values that are tried, and how they are chosen."""
    digest: str
    """Of everything."""

    @classmethod
    def of(cls, spec: TuneSpec, code: str, data: str, uses: Mapping[str, Path]) -> Self:
        """The identity of a sweep.

        Args:
            spec: What is tuned and how.
            code: Digest of the step's modules.
            data: Digest of the prepared dataset.
            uses: Models and weights that the trainings start from or need.

        Raises:
            UserError: one of these cannot be read.
        """
        found = {name: _sha256(path) for name, path in uses.items()}
        return cls(*sweep_digests(spec.model_dump(mode="json"), code, data, found))

    def save(self, folder: Path) -> None:
        """Says in a sweep's folder which one it is."""
        write_json(folder / FILE, asdict(self))

    def relatives(self, root: Path) -> Iterator[Path]:
        """The folders of other sweeps of the same trainings, the last one that changed first."""
        folders = [path.parent for path in root.glob(f"*/{FILE}") if path.parent.name != self.digest]
        for folder in sorted(folders, key=lambda folder: (folder / FILE).stat().st_mtime, reverse=True):
            if json.loads((folder / FILE).read_text("utf-8"))["trainings"] == self.trainings:
                yield folder


def _sha256(path: Path) -> str:
    try:
        return file_sha256(path)
    except OSError as error:
        raise UserError(f"{path}, which the trials need, cannot be read: {error.strerror}") from error

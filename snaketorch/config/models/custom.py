"""The user's own network."""

from typing import ClassVar, Literal

from pydantic import Field

from snaketorch.config.base import Arguments, ClassPath
from snaketorch.config.models.base import IMAGE, ROW, SEQUENCE, TOKENS, Network


class Custom(Network):
    """Your own class: see "Your own network" below."""

    reads: ClassVar[tuple[str, ...]] = (IMAGE, SEQUENCE, TOKENS, ROW)
    implementation: ClassVar[str] = "snaketorch.models.custom:build"
    each_step: ClassVar[bool] = True

    kind: Literal["custom"]
    class_path: ClassPath
    """Module and class, such as `my_lab.nets.Wide`; importable from the folder that holds `config/`."""
    init_args: Arguments = Field({})
    """Keyword arguments of the class."""

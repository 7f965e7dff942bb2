"""What a tuned key may be: Ray Tune's words for it, with its meaning."""

import math
from typing import Annotated, Any

from pydantic import AfterValidator, Discriminator, Field, StringConstraints, Tag

from snaketorch.config.base import Section

PATH_PATTERN = r"^[A-Za-z_][\w-]*(\.[\w-]+)*$"
PATH_IN_WORDS = "the path of another key, such as optimizer.lr"

KeyOfOther = Annotated[str, StringConstraints(pattern=PATH_PATTERN)]


def _number_or_text(value: Any) -> str:
    return "text" if isinstance(value, str) else "number"


Bound = Annotated[Annotated[float, Tag("number")] | Annotated[KeyOfOther, Tag("text")], Discriminator(_number_or_text)]
WholeBound = Annotated[
    Annotated[int, Tag("number")] | Annotated[KeyOfOther, Tag("text")], Discriminator(_number_or_text)
]
Bounds = Annotated[list[Bound], Field(min_length=2, max_length=2)]
WholeBounds = Annotated[list[WholeBound], Field(min_length=2, max_length=2)]
Stepped = Annotated[list[Bound], Field(min_length=3, max_length=3)]
WholeStepped = Annotated[list[WholeBound], Field(min_length=3, max_length=3)]
Options = Annotated[list[Any], Field(min_length=1)]

WORDS = (
    *("uniform", "quniform", "loguniform", "qloguniform"),
    *("randint", "qrandint", "lograndint", "qlograndint"),
    *("choice", "grid"),
)
OPEN = ("uniform", "loguniform", "randint", "lograndint")
"""The words whose upper bound is not one of the values."""


class Range(Section):
    """What a tuned key may be: one of the words of Ray Tune, and when. A bound may be the path of another key."""

    uniform: Bounds | None = None
    """`[from, to]`: a number, `to` not included."""
    quniform: Stepped | None = None
    """`[from, to, step]`: a multiple of the step, `to` included."""
    loguniform: Bounds | None = None
    """`[from, to]`: a number whose logarithm is uniform."""
    qloguniform: Stepped | None = None
    """`[from, to, step]`: such a number, rounded to a multiple of the step."""
    randint: WholeBounds | None = None
    """`[from, to]`: a whole number, `to` not included."""
    qrandint: WholeStepped | None = None
    """`[from, to, step]`: a whole multiple of the step, `to` included but for a step of 1."""
    lograndint: WholeBounds | None = None
    """`[from, to]`: a whole number whose logarithm is uniform, `to` not included."""
    qlograndint: WholeStepped | None = None
    """`[from, to, step]`: such a number, rounded to a multiple of the step."""
    choice: Options | None = None
    """One of a list, of whole sections too."""
    grid: Options | None = None
    """Each of a list; with `search_alg: {kind: grid}`."""
    when: dict[str, Any] | None = None
    """Other keys and the value, or a list of values, that they must have; this one is left alone otherwise."""

    @property
    def word(self) -> str:
        """The word of Ray Tune that it uses."""
        return next(word for word in WORDS if getattr(self, word) is not None)

    @property
    def options(self) -> list[Any] | None:
        """All that it may be, where that is a list."""
        return self.choice if self.choice is not None else self.grid

    @property
    def numbers(self) -> list[Any]:
        """Bounds, and perhaps the step, as they are written."""
        return getattr(self, self.word)

    @property
    def low(self) -> float | str:
        """The smallest value, or the path of the key that says it."""
        return self.numbers[0]

    @property
    def high(self) -> float | str:
        """The end of the range, or the path of the key that says it."""
        return self.numbers[1]

    @property
    def step(self) -> float | str | None:
        """All values are multiples of it; None where they are not."""
        return self.numbers[2] if len(self.numbers) == 3 else None

    @property
    def log(self) -> bool:
        """Whether the logarithm is uniform."""
        return "log" in self.word

    @property
    def whole(self) -> bool:
        """Whether it gives whole numbers."""
        return "int" in self.word

    @property
    def is_finite(self) -> bool:
        """Whether all its values can be listed, each once."""
        if self.options is not None:
            return True
        return self.whole if self.step is None else not self.log  # of what is rounded many are one

    @property
    def count(self) -> int | None:
        """How many values it has; None where these cannot be listed, or a bound is another key."""
        if self.options is not None:
            return len(self.options)
        if not self.is_finite or any(isinstance(bound, str) for bound in self.numbers):
            return None
        low, high = multiples(self.low, self.high, self.step or 1)
        # Ray Tune leaves the upper bound out where the step is 1, whatever the word
        return round((high - low) / (self.step or 1)) + (not (self.whole and self.step in (None, 1)))

    @property
    def names(self) -> list[str]:
        """The paths of other keys that it depends on."""
        bounds = [] if self.options is not None else [bound for bound in self.numbers if isinstance(bound, str)]
        return [*(self.when or {}), *bounds]


def _is_one_range(domain: Range) -> Range:
    words = [word for word in WORDS if getattr(domain, word) is not None]
    if len(words) != 1:
        found = f"{' and '.join(words)} at once" if words else "nothing that it may be"
        raise ValueError(f"has {found}; allowed: one of {', '.join(WORDS)}")
    if (options := domain.options) is not None:
        twice = [option for place, option in enumerate(options) if option in options[:place]]
        if twice:
            raise ValueError(f"{domain.word}: {twice[0]} more than once; allowed: each value once")
        return domain
    word, low, high, step = domain.word, domain.low, domain.high, domain.step
    if isinstance(step, int | float) and step <= 0:
        raise ValueError(f"{word}: a step of {step:g} leads nowhere; allowed: a step above 0")
    if domain.log and not isinstance(low, str) and low <= 0:
        raise ValueError(f"{word}: {low:g} has no logarithm; allowed: bounds above 0")
    if isinstance(low, str) or isinstance(high, str):
        return domain
    if low >= high if word in OPEN else low > high:
        raise ValueError(f"{word}: from {low:g} to {high:g} is nothing; allowed: [smaller, larger]")
    if isinstance(step, int | float) and multiples(low, high, step) is None:
        raise ValueError(f"{word}: no multiple of {step:g} is from {low:g} to {high:g}; allowed: a smaller step")
    return domain


Domain = Annotated[Range, AfterValidator(_is_one_range)]
"""A range that says what it is, once."""


def multiples(low: float, high: float, step: float) -> tuple[float, float] | None:
    """The first and the last multiple of ``step`` from ``low`` to ``high``; None when there is none."""

    def index(bound: float, inwards) -> int:
        scaled = bound / step
        # 0.3 / 0.1 is a little less than 3
        return round(scaled) if math.isclose(scaled, round(scaled), rel_tol=1e-9) else inwards(scaled)

    first, last = index(low, math.ceil), index(high, math.floor)
    return (first * step, last * step) if first <= last else None

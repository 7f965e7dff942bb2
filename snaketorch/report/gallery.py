"""The figures of a study as parts of one page, as many as it can carry."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from xml.etree import ElementTree

from markupsafe import Markup

from snaketorch.errors import UserError
from snaketorch.figures.curves import learning_curves
from snaketorch.figures.inline import themed
from snaketorch.figures.style import as_svg
from snaketorch.freshness import make_again
from snaketorch.report.formats import plain, sentence
from snaketorch.report.results import Experiment, Seed

MAX_EXPERIMENTS = 40
"""Experiments whose figures are on the page; of others it tells where they are."""
MAX_BYTES = 24_000_000
"""All figures together; first seeds go before further seeds."""
CURVES = "curves.svg"
"""The learning curves of one seed; the page draws those of all seeds in one."""
HALF_WIDTH = 480
"""Points up to which two figures stand side by side."""


@dataclass(frozen=True)
class Drawing:
    """A figure of a test; ``svg`` is None where the page only tells its path."""

    title: str
    path: Path
    svg: Markup | None = None
    is_wide: bool = False
    """Whether it takes the width of the page's text."""


@dataclass
class Gallery:
    """What to show of each experiment."""

    curves: dict[str, Markup] = field(default_factory=dict)
    drawings: dict[tuple[str, int], list[Drawing]] = field(default_factory=dict)
    """By experiment and seed."""
    left_out: int = 0
    """Figures that are not on the page."""


def gallery(experiments: Sequence[Experiment]) -> Gallery:
    """Learning curves and the figures of every seed, inline up to ``MAX_EXPERIMENTS`` and ``MAX_BYTES``.

    Of more experiments than fit, the first ones are drawn.
    """
    found, room = Gallery(), MAX_BYTES
    shown = {experiment.name for experiment in experiments[:MAX_EXPERIMENTS]}
    for experiment in experiments[:MAX_EXPERIMENTS]:
        found.curves[experiment.name] = _curves(experiment)
        room -= len(found.curves[experiment.name])
    for experiment, seed in _first_seeds_first(experiments):
        drawings = []
        for path in sorted(set((seed.folder / "figures").glob("*.svg")) - {seed.folder / "figures" / CURVES}):
            drawing = Drawing(sentence(plain(path.stem)), path)
            if experiment.name in shown and path.stat().st_size <= room:
                drawing = _inline(drawing, f"{experiment.name}-{seed.seed}-{path.stem}")
                room -= len(drawing.svg)
            drawings.append(drawing)
        found.left_out += sum(drawing.svg is None for drawing in drawings)
        found.drawings[experiment.name, seed.seed] = sorted(drawings, key=lambda drawing: drawing.is_wide)
    return found


def _first_seeds_first(experiments: Iterable[Experiment]) -> list[tuple[Experiment, Seed]]:
    pairs = [(rank, experiment, seed) for experiment in experiments for rank, seed in enumerate(experiment.seeds)]
    return [(experiment, seed) for _, experiment, seed in sorted(pairs, key=lambda pair: pair[0])]


def _inline(drawing: Drawing, prefix: str) -> Drawing:
    """The same drawing with its file as an element of the page."""
    try:
        svg = themed(drawing.path.read_text("utf-8"), prefix)
        root = ElementTree.fromstring(svg)
    except (ElementTree.ParseError, UnicodeDecodeError) as error:
        made_with = drawing.path.parent.with_name("metrics.json")
        raise UserError(f"{drawing.path}: is no SVG ({error}); {make_again(made_with)}") from error
    width = float(root.get("viewBox", "0 0 0 0").split()[2])
    return Drawing(root.get("aria-label", drawing.title), drawing.path, Markup(svg), width > HALF_WIDTH)


def _curves(experiment: Experiment) -> Markup:
    histories = {seed.seed: seed.history for seed in experiment.seeds}
    columns = {name.partition("/")[2] for history in histories.values() for row in history for name in row}
    losses = sorted(name for name in columns if name.endswith("loss"))
    wanted = [*losses, experiment.summary["goal"].partition("/")[2]]
    best = {seed.seed: seed.record["best"] for seed in experiment.seeds}
    figure = learning_curves(
        histories,
        [name for name in wanted if name in columns],
        {seed: found["epoch"] for seed, found in best.items() if found and found["kept"]},
    )
    name = f"{experiment.name}-curves"
    return Markup(themed(as_svg(figure, name), name))

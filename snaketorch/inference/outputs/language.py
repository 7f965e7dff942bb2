"""How likely a text is, and how it might go on."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from pydantic import ValidationError

from snaketorch.config.tasks.language_modelling import Sampling
from snaketorch.data.loading.token_windows import TokenWindows
from snaketorch.data.tokenizers import PADDING
from snaketorch.errors import UserError
from snaketorch.evaluation.predict import full_float32
from snaketorch.inference.columns import Column, Parameter
from snaketorch.inference.inputs.base import Fields, Input
from snaketorch.inference.outputs.base import Cells, Output, Run
from snaketorch.tasks.generation import generate
from snaketorch.tasks.language_modelling import measures

QUICK = 20
"""Tokens of a continuation that is only there to be seen."""
LARGEST_LOSS = 700.0
"""In nats; its exponential, the perplexity, is still a float64."""


class Language(Output):
    """Columns `tokens`, their number, `loss` of a token in nats, `perplexity`, `bits_per_character`, `continuation`.

    All tokens but the first are scored, each after those before it: up to the window's first half or more, as in the
    test. A text of a single token has no loss: there it is NaN.
    """

    def __init__(self, task):
        super().__init__(task)
        sampling = task.options.sampling
        self.columns = [
            Column("tokens", "long"),
            *(Column(name, "double", required=False) for name in ("loss", "perplexity", "bits_per_character")),
            Column("continuation", "string"),
        ]
        self.parameters = [
            Parameter("max_tokens", "long", sampling.length, min(sampling.length, QUICK)),
            Parameter("temperature", "double", sampling.temperature),
            Parameter("seed", "long", 0),
        ]

    def answer(
        self, fields: Fields, reader: Input, run: Run, parameters: Mapping[str, Any]
    ) -> tuple[Cells, np.ndarray]:
        texts, finite = fields["token"], []
        sampling, length, seed = self._sampling(**parameters)
        cells: Cells = {column.name: [] for column in self.columns}
        for tokens, losses in zip(texts, token_losses(texts, self.task.options.window, run), strict=True):
            finite.append(np.isfinite(losses).all())
            for name, value in self._measured(tokens, losses).items():
                cells[name].append(value)
            cells["tokens"].append(len(tokens))
            cells["continuation"].append(self._continuation(tokens, sampling, length, seed))
        return cells, np.array(finite)

    def _sampling(self, max_tokens: Any, temperature: Any, seed: Any) -> tuple[Sampling, int, int]:
        own = self.task.options.sampling.model_dump()
        if not (isinstance(max_tokens, int | np.integer) and max_tokens >= 0):
            raise UserError(f"max_tokens is {max_tokens!r}; allowed: a whole number from 0 on")
        if not (isinstance(seed, int | np.integer) and 0 <= seed < 2**63):
            raise UserError(f"seed is {seed!r}; allowed: a whole number from 0 on")
        changes = {"length": max(1, int(max_tokens)), "count": 1, "temperature": temperature}
        try:
            return Sampling.model_validate(own | changes), int(max_tokens), int(seed)
        except ValidationError:
            raise UserError(f"temperature is {temperature!r}; allowed: a number above 0") from None

    def _measured(self, tokens: np.ndarray, losses: np.ndarray) -> dict[str, float]:
        if not len(losses):
            return dict.fromkeys(("loss", "perplexity", "bits_per_character"), float("nan"))
        characters = self.task.characters.cpu().numpy()[tokens[1:]].mean(dtype=np.float64)
        loss = torch.tensor(losses.mean(dtype=np.float64)).clamp(max=LARGEST_LOSS)
        return {name: float(value) for name, value in measures(loss, torch.tensor(characters)).items()}

    def _continuation(self, tokens: np.ndarray, sampling: Sampling, length: int, seed: int) -> str:
        if not length:
            return ""
        prompt = torch.from_numpy(tokens[-self.task.options.window :].astype(np.int64))
        generator = torch.Generator().manual_seed(seed)
        with full_float32(), torch.inference_mode():
            written = generate(self.task.network, prompt, self.task.options.window, sampling, generator)
        return self.task.encoding.decode(written[0].tolist())


def token_losses(texts: Sequence[np.ndarray], window: int, run: Run) -> list[np.ndarray]:
    """The loss in nats (n - 1,) of each token of a text of n but its first.

    The first window is scored as a whole; from there on as the test scores: each token with half a window or more
    before it. A text that is shorter than a window has padding behind it, which the network does not see.
    """
    streams, first, scored, counts = [], [], [], []
    position = 0
    for tokens in texts:
        stream = np.append(tokens, np.full(max(0, window + 1 - len(tokens)), PADDING, tokens.dtype))
        begins, ends = np.zeros(1, np.int64), np.full(1, window)
        if len(tokens) > window + 1:
            rest = TokenWindows.for_scoring(torch.from_numpy(stream), window, window + 1)
            begins, ends = np.append(begins, rest.first.numpy()), np.append(ends, rest.scored.numpy())
        streams.append(stream)
        first.append(begins + position)
        scored.append(ends)
        counts.append(len(begins))
        position += len(stream)
    windows = TokenWindows(
        torch.from_numpy(np.concatenate(streams)),
        window,
        torch.from_numpy(np.concatenate(first)),
        torch.from_numpy(np.concatenate(scored)),
    )
    values = run(windows)
    found, place = [], 0
    for tokens, count in zip(texts, counts, strict=True):
        rows = range(place, place + count)
        whole = np.concatenate([values["loss"][row, window - values["scored"][row] :] for row in rows])
        found.append(whole[: len(tokens) - 1])
        place += count
    return found

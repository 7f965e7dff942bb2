"""Trials of sweeps that never ran."""

import math
import random

from snaketorch.figures.sweep_trials import SweepTrial, TunedKey

LR = TunedKey("optimizer.lr", log=True, low=1e-4, high=1e-1)
DROPOUT = TunedKey("model.dropout", low=0.0, high=0.5)
BATCH = TunedKey("data_loader.batch_size", options=[32, 64, 128])
OPTIMIZER = TunedKey(
    "optimizer", options=[{"kind": "sgd", "lr": 0.1}, {"kind": "adamw", "lr": 0.001}, {"kind": "lion"}]
)
MOMENTUM = TunedKey("optimizer.momentum", low=0.8, high=0.99)
LONG = TunedKey("model.a_section_of_the_users_own.a_key_with_a_very_long_name", options=["a text that is long", "b"])
KEYS = [LR, DROPOUT, BATCH]
ALL_KEYS = [*KEYS, OPTIMIZER, MOMENTUM, LONG, TunedKey("model.layers", low=1, high=6)]


def sweep(count=24, keys=KEYS, epochs=9, mode="max", failed=(), diverged=()):
    """So many trials, of which ``failed`` came to nothing and ``diverged`` to a bad value."""
    return [_trial(number, keys, epochs, mode, number in failed, number in diverged) for number in range(count)]


def _trial(number, keys, epochs, mode, fails, diverges):
    chance = random.Random(number)
    values = {key.path: _value(key, chance) for key in keys}
    if values.get("optimizer", {"kind": "sgd"})["kind"] != "sgd":
        values.pop(MOMENTUM.path, None)
    if fails:
        return SweepTrial(number, values, ("failed", "out_of_memory")[number % 2], [], None)
    off = abs(math.log10(values.get("optimizer.lr", 0.003) / 0.003)) + 0.3 * values.get("model.dropout", 0)
    left = min(0.9, 0.02 + 0.25 * off**2 + 0.01 * chance.random())
    stops = number % 3 and left > 0.1
    length = max(1, epochs // 9) * 3 ** (number % 2) if stops else epochs
    losses = [left + 0.6 * math.exp(-4 * epoch / epochs) + 0.01 * chance.random() for epoch in range(1, length + 1)]
    if diverges:
        losses[-1] = 1e4
        losses = losses[-1:]
    curve = [(epoch, loss if mode == "min" else 1 - loss) for epoch, loss in enumerate(losses, start=1)]
    best = (min if mode == "min" else max)(value for _, value in curve)
    return SweepTrial(number, values, "stopped" if stops else "finished", curve, best)


def _value(key, chance):
    if key.options:
        return chance.choice(key.options)
    if key.log:
        return math.exp(chance.uniform(math.log(key.low), math.log(key.high)))
    value = chance.uniform(key.low, key.high)
    return round(value) if isinstance(key.low, int) else value

"""Names in several languages, from the Unicode consortium's locale data as Babel has it."""

import hashlib
import re
from collections import Counter
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from babel import Locale, UnknownLocaleError

from snaketorch.config.specs import PrepareSpec
from snaketorch.data.manifest import SPLITS
from snaketorch.data.raw.texts import RawTexts
from snaketorch.errors import DataError

KINDS = ("languages", "scripts", "territories", "currencies")
OF_A_PLACE = ("territories", "currencies")
YEARS = re.compile(r"\s*\([^)]*\d[^)]*\)")
"""When a currency was in use, which each language writes in its own way."""
TENTHS = {8: "val", 9: "test"}
"""Of what is named, by its digest; the rest is for training."""


class Name(NamedTuple):
    """What something is called in a language."""

    text: str
    language: int
    split: str
    code: str
    """`de: territories FR`."""


def load(spec: PrepareSpec) -> RawTexts:
    """The names that ``spec.source.name`` names, in small letters."""
    languages = spec.source.languages
    every = [name for number, code in enumerate(languages) for name in _names(number, code)]
    spoken = Counter(text for text, _ in {(name.text, name.language) for name in every})
    # of equal names in one language the first stays, whatever split it is in
    own = {(name.text, name.language): name for name in reversed(every) if spoken[name.text] == 1}
    names = sorted(own.values(), key=lambda name: (name.language, name.code))
    splits = np.array([name.split for name in names])
    return RawTexts(
        labels=np.array([name.language for name in names], np.int64),
        classes=tuple(languages),
        names=[name.code for name in names],
        given={split: np.flatnonzero(splits == split) for split in SPLITS},
        facts={
            "names": len(every),
            "names left out, as two or more of the languages share them": sum(spoken[name.text] > 1 for name in every),
            "names left out, as a language has them twice": sum(spoken[name.text] == 1 for name in every) - len(names),
        },
        texts=lambda: (name.text for name in names),
    )


def _names(number: int, language: str) -> Iterator[Name]:
    try:
        locale = Locale.parse(language)
    except (UnknownLocaleError, ValueError) as error:
        known = "such as en, pt or sr_Latn"
        raise DataError(f"source.languages: Babel knows no language '{language}'; allowed: {known}") from error
    for kind in KINDS:
        for code, name in sorted(getattr(locale, kind).items()):
            text = YEARS.sub("", name).strip().lower()
            if text and not re.search(r"\d", text):
                yield Name(text, number, _split(kind, code), f"{language}: {kind} {code}")


def _split(kind: str, code: str) -> str:
    """The same in every language, for a country and all its currencies, and for all variants of a language."""
    named = f"place {code[:2]}" if kind in OF_A_PLACE else f"{kind} {re.split('[-_]', code)[0]}"
    return TENTHS.get(int(hashlib.sha256(named.encode()).hexdigest(), 16) % 10, "train")

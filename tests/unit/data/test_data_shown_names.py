import os

import pytest

from snaketorch.data.shown_names import shown, writable


@pytest.mark.parametrize(
    ("name", "seen"),
    [
        ("größe 1.png", "größe 1.png"),
        (os.fsdecode(b"caf\xe9.png"), r"caf\xe9.png"),
        ("two\nlines\x1b[1m", r"two\nlines\x1b[1m"),
        ("\ud800", r"\ud800"),
    ],
)
def test_a_name_is_shown_as_text_that_can_be_printed_and_written(name, seen):
    assert shown(name) == seen
    assert shown(name).encode()


def test_all_texts_of_a_report_can_be_written():
    assert writable({"a\udce9": ["b\udce9", 1, None, ("c",)]}) == {r"a\udce9": [r"b\udce9", 1, None, ["c"]]}

import sys

import numpy as np
import pytest

from snaketorch.config.specs import PrepareSpec
from snaketorch.data.sources.custom import load
from snaketorch.errors import DataError

MODULE = """
import numpy as np
from snaketorch.data.raw.images import RawImages
from snaketorch.data.raw.rows import RawRows
from snaketorch.data.readers import MemoryReader
import pyarrow as pa

class Leaves:
    def __init__(self, count: int, kinds: int = 2):
        self.count, self.kinds = count, kinds

    def load(self):
        labels = np.arange(self.count) % self.kinds
        pixels = np.full((self.count, 1, 2, 2), 7, np.uint8)
        names = [f"leaf {row}" for row in range(self.count)]
        return RawImages(reader=MemoryReader(pixels), labels=labels, classes=("oak", "elm"), names=names)

class Empty:
    pass

class Numbers:
    def load(self):
        return RawRows(table=pa.table({"a": [1.0]}), target=np.array([1.0]), target_name="b", names=["row 0"])

level = 3
"""


@pytest.fixture
def lab(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [entry for entry in sys.path if entry not in ("", str(tmp_path))])
    (tmp_path / "some_lab").mkdir()
    (tmp_path / "some_lab" / "data.py").write_text(MODULE)
    (tmp_path / "some_lab" / "needy.py").write_text("import not_there_at_all\n")
    yield tmp_path
    for name in [name for name in sys.modules if name.partition(".")[0] == "some_lab"]:
        del sys.modules[name]


def load_class(class_path, content="images", **init_args):
    source = {"kind": "custom", "class_path": class_path, "content": content, "init_args": init_args}
    return load(PrepareSpec.model_validate({"dataset": "some", "source": source, "split": {}, "prepare": {}}))


def test_a_class_beside_the_configuration_gives_samples(lab):
    raw = load_class("some_lab.data.Leaves", count=4)
    assert raw.classes == ("oak", "elm")
    assert next(raw.reader.parts(np.array([1])))[0].tolist() == [[[7, 7], [7, 7]]]


@pytest.mark.parametrize(
    ("class_path", "content", "init_args", "message"),
    [
        ("other_lab.data.Leaves", "images", {}, "no module 'other_lab' for .*; allowed: modules in /"),
        ("some_lab.dta.Leaves", "images", {}, "no module 'some_lab.dta'"),
        ("some_lab.needy.Leaves", "images", {}, "some_lab.needy needs the module 'not_there_at_all'"),
        ("some_lab.data.Leafs", "images", {}, "no class 'Leafs'; did you mean 'Leaves'.; allowed: Leaves, E"),
        ("some_lab.data.level", "images", {}, "is a int; allowed: a class"),
        ("some_lab.data.Leaves", "images", {"number": 3}, r"init_args do not fit some_lab.data.Leaves\(count: int"),
        ("some_lab.data.Empty", "images", {}, "has no method load"),
        ("some_lab.data.Leaves", "texts", {"count": 4}, r"gives RawImages; allowed for `content: texts`: RawTexts"),
        ("some_lab.data.Numbers", "rows", {}, "gives rows without classes"),
    ],
)  # fmt: skip
def test_a_class_that_does_not_fit_is_refused(lab, class_path, content, init_args, message):
    with pytest.raises(DataError, match=message):
        load_class(class_path, content, **init_args)

import json
import shutil
from pathlib import Path

import pytest

from snaketorch.dag import code

PACKAGE = code.ROOT

MODULES = {
    "step": '''
        """Docstring of the module."""

        import json
        from snaketorch import publish
        from snaketorch.parts import wheel
        from snaketorch.parts.door import open_door
        from snaketorch.config.study import StudyConfig

        LIMIT = 3

        class Step:
            """Docstring of a class."""

            limit: int = LIMIT
            """Docstring of a field."""

            def run(self, values):
                """Docstring of a method."""
                from snaketorch.lazy import late
                total = sum(values)  # a comment
                return late(total) + open_door()
        ''',
    "publish": "def publish(): return 1",
    "lazy": "import snaketorch.deep.down\ndef late(value): return value",
    "parts/__init__": "",
    "parts/wheel": "ROUND = True",
    "parts/door": "def open_door(): return 1",
    "deep/__init__": "SEA = 1",
    "deep/down": "DOWN = 1",
    "config/__init__": "",
    "config/study": "class StudyConfig: pass",
    "configurable": "",
    "alone": "ALONE = True",
}


@pytest.fixture
def package(tmp_path, monkeypatch):
    """A small package in the place of the real one: ``package.write("step", text)``."""
    return Package(tmp_path / "snaketorch", monkeypatch)


class Package:
    def __init__(self, root: Path, monkeypatch):
        self.root = root
        monkeypatch.setattr(code, "ROOT", root)
        for known in ("_seen", "_recalled"):  # of the real one
            monkeypatch.setattr(code, known, {})
        self.write("__init__", "__version__ = '1'")
        for name, text in MODULES.items():
            lines = text.strip("\n").split("\n")
            indent = len(lines[0]) - len(lines[0].lstrip())
            self.write(name, "\n".join(line[indent:] for line in lines))

    def write(self, name: str, text: str) -> None:
        path = self.root / f"{name}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")

    def replace(self, name: str, old: str, new: str) -> None:
        text = (self.root / f"{name}.py").read_text("utf-8")
        assert old in text
        self.write(name, text.replace(old, new))

    def digest(self, *entry_points: str) -> str:
        forget()
        return code.code_digest(*(entry_points or ["snaketorch.step"]))


def forget() -> None:
    """What was read of other files before."""
    code._read.cache_clear()
    code._digest.cache_clear()


@pytest.fixture(autouse=True)
def _forget_afterwards():
    yield
    forget()


def test_every_import_counts_at_the_top_and_in_functions(package):
    forget()

    assert code.closure(["snaketorch.step"]) == {
        "snaketorch.step",
        "snaketorch.publish",
        "snaketorch.lazy",
        "snaketorch.parts",
        "snaketorch.parts.wheel",
        "snaketorch.parts.door",
        "snaketorch.deep",
        "snaketorch.deep.down",
    }


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("# a comment", "# another comment"),
        ("Docstring of the module", "Another docstring"),
        ("Docstring of a class", "Another docstring"),
        ("Docstring of a field", "Another docstring"),
        ("Docstring of a method", "Another docstring"),
        ("\n\n", "\n\n\n\n"),
        ("LIMIT = 3", "LIMIT = (  3\n)"),
        ("sum(values)", "sum(\n            values,\n        )"),
        ("import json", "import   json"),
    ],
)
def test_words_and_formatting_change_nothing(package, old, new):
    before = package.digest()

    package.replace("step", old, new)

    assert package.digest() == before


@pytest.mark.parametrize(
    ("module", "old", "new"),
    [
        ("step", "total", "amount"),
        ("step", "LIMIT = 3", "LIMIT = 4"),
        ("step", "import json\n", ""),
        ("parts/wheel", "True", "False"),
        ("parts/door", "return 1", "return 2"),
        ("lazy", "return value", "return -value"),
        ("deep/__init__", "1", "2"),
        ("deep/down", "1", "2"),
        ("publish", "1", "2"),
    ],
)
def test_another_program_is_another_digest(package, module, old, new):
    before = package.digest()

    package.replace(module, old, new)

    assert package.digest() != before


@pytest.mark.parametrize("module", ["alone", "config/study", "configurable", "new"])
def test_a_module_that_the_step_does_not_run_changes_nothing(package, module):
    before = package.digest()

    package.write(module, "SOMETHING = 'else'")

    assert package.digest() == before


def test_a_module_whose_name_only_begins_like_one_that_is_left_out_counts(package):
    package.replace("step", "import json", "import snaketorch.configurable")
    before = package.digest()

    package.write("configurable", "OPTION = 1")

    assert package.digest() != before


def test_an_import_in_a_circle_ends(package):
    package.write("deep/down", "import snaketorch.step")

    assert package.digest()


def test_an_entry_point_is_a_module_or_something_in_it(package):
    assert package.digest("snaketorch.step:Step") == package.digest("snaketorch.step")
    assert package.digest("snaketorch.step", "snaketorch.alone") != package.digest("snaketorch.step")


def test_the_order_of_entry_points_does_not_matter(package):
    assert package.digest("snaketorch.alone", "snaketorch.step") == package.digest(
        "snaketorch.step", "snaketorch.alone"
    )


def test_where_the_package_lies_does_not_matter(package, tmp_path, monkeypatch):
    before = package.digest()
    moved = shutil.copytree(package.root, tmp_path / "elsewhere" / "snaketorch")
    monkeypatch.setattr(code, "ROOT", moved)

    assert package.digest() == before


def test_a_module_that_is_not_there_is_named_and_is_no_missing_file(package):
    package.replace("step", "import json", "import snaketorch.gone")

    with pytest.raises(ImportError, match=r"there is no module snaketorch\.gone") as error:
        package.digest()
    assert not isinstance(error.value, OSError), "Snakemake would drop the job without a word"


def test_files_are_known_by_name_and_content(tmp_path):
    (tmp_path / "page").mkdir()
    (tmp_path / "page/a.css").write_text("body {}")
    first = code.files_digest(tmp_path)
    (tmp_path / "page/__pycache__").mkdir()
    (tmp_path / "page/__pycache__/x.pyc").write_text("compiled")
    assert code.files_digest(tmp_path) == first

    (tmp_path / "page/a.css").write_text("body { color: red }")
    second = code.files_digest(tmp_path)
    (tmp_path / "page/a.css").rename(tmp_path / "page/b.css")

    assert len({first, second, code.files_digest(tmp_path)}) == 3


@pytest.mark.parametrize(
    ("step", "leaves_out"),
    [
        ("snaketorch.data.prepare", ["models", "tasks", "training", "evaluation", "tracking", "report", "figures"]),
        ("snaketorch.training.train", ["evaluation", "tracking", "report", "figures", "data.prepare"]),
        ("snaketorch.evaluation.evaluate", ["tracking", "report", "training.fit", "data.prepare"]),
        ("snaketorch.report.summarise", ["data", "models", "tasks", "training", "evaluation", "tracking"]),
        ("snaketorch.report.study", ["data", "models", "tasks", "training", "evaluation", "tracking"]),
    ],
)
def test_a_step_does_not_depend_on_other_steps(step, leaves_out):
    found = code.closure([step])

    assert step in found
    for part in leaves_out:
        assert [name for name in found if f"{name}.".startswith(f"snaketorch.{part}.")] == []


@pytest.fixture
def lab(tmp_path):
    """A user's modules beside the configuration."""
    files = {
        "nets.py": "import torch\nfrom my_lab import layers\nfrom .deep.parts import part\n",
        "layers.py": "LAYERS = 1\n",
        "deep/__init__.py": "",
        "deep/parts.py": "from .. import sizes\npart = 1\n",
        "sizes.py": "SIZES = 1\n",
        "unused.py": "UNUSED = 1\n",
    }
    for name, text in files.items():
        path = tmp_path / "my_lab" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return tmp_path


@pytest.mark.parametrize(
    ("file", "counts"),
    [
        *((name, True) for name in ("nets.py", "layers.py", "deep/__init__.py", "deep/parts.py", "sizes.py")),
        ("unused.py", False),
    ],
)
def test_the_users_code_is_his_module_and_those_that_it_imports(file, counts, lab):
    before = code.module_digest("my_lab.nets.Wide", lab)
    path = lab / "my_lab" / file
    path.write_text(f"# a comment\n\n{path.read_text()}")
    assert code.module_digest("my_lab.nets.Wide", lab) == before

    path.write_text(f"{path.read_text()}\nEDITED = True\n")

    assert (code.module_digest("my_lab.nets.Wide", lab) != before) == counts


@pytest.mark.parametrize("content", [b"def half(:\n", b"name = '\xff'\n", b"zero = '\0'\n"])
def test_a_module_of_the_user_that_is_no_python_counts_by_its_bytes(lab, content):
    before = code.module_digest("my_lab.nets.Wide", lab)
    (lab / "my_lab/layers.py").write_bytes(content)
    broken = code.module_digest("my_lab.nets.Wide", lab)
    (lab / "my_lab/layers.py").write_bytes(content + b"# another\n")
    assert len({before, broken, code.module_digest("my_lab.nets.Wide", lab)}) == 3


def test_the_code_of_an_installed_package_is_not_the_users(lab):
    assert code.module_digest("torch.nn.Flatten", lab) is None


def test_what_another_process_read_is_believed_until_a_file_changes(package, monkeypatch):
    monkeypatch.setattr(code, "_seen", {})
    monkeypatch.setattr(code, "_recalled", {})
    before = package.digest()
    known = json.loads(json.dumps(code.known_modules()))
    parsed = []
    real = code._parse
    monkeypatch.setattr(
        code, "_parse", lambda text, filename: parsed.append(Path(filename).stem) or real(text, filename)
    )

    code.recall(known)
    assert package.digest() == before
    assert parsed == []

    package.write("lazy", "another = 'one'")
    monkeypatch.setattr(code, "_recalled", {})
    code.recall(known)
    assert package.digest() != before
    assert parsed == ["lazy"]

    monkeypatch.setattr(code, "_recalled", {})
    code.recall({**known, "python": "another"})
    code.recall({})
    assert code._recalled == {}


def test_code_is_the_same_but_for_comments(package):
    text = (package.root / "step.py").read_text()

    assert code.same_code("snaketorch.step", f"# another comment\n{text}")
    assert not code.same_code("snaketorch.step", f"{text}\nmore = 1\n")

"""The conda environments hold what their rules import, at the versions of constraints.txt, and nothing more."""

import ast
import os
import re
import runpy
import subprocess
import sys
import tomllib
from functools import cache
from importlib import metadata
from pathlib import Path

import pytest
import rattler
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

from snaketorch.commands import MODULES
from snaketorch.dag import code

ROOT = Path(__file__).parents[2]
ENVIRONMENTS = sorted((ROOT / "envs").glob("*.yaml"))
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
PINS = runpy.run_path(str(ROOT / "envs" / "pins.py"))
CONSTRAINTS = {name: pin.partition("==")[2] for name, pin in PINS["constraints"]().items()}
DISTRIBUTIONS = {
    module: {canonicalize_name(name) for name in names} for module, names in metadata.packages_distributions().items()
}

RULE = re.compile(r"^(?:rule|checkpoint) (\w+):\n((?:(?:    .*)?\n)+)", re.MULTILINE)
STEP = re.compile(r"python -m snaketorch ([\w-]+)")
STARTED = {"train": ["sync"], "evaluate": ["sync"], "tune": ["sync"]}
"""Steps that a step starts in a process of its own: the uploader of `snaketorch.tracking.sidecar`."""
BY_HAND = {"benchmark-device", "doctor", "explain", "gpus", "start-over", "status", "sync", "tune-plan"}
BY_HAND |= {"models", "monitor", "plan", "predict", "promote", "rollback"}
"""Steps without a rule: a person calls them, where all packages are. Jobs start `sync` too."""
NAMED_BY = {
    "prepare": ["config/sources", "config/contents", "config/augment"],
    "preview-augmentation": ["config/augment"],
    "train": ["config/tasks", "config/models", "config/augment"],
    "tune": ["config/tasks", "config/models", "config/augment", "tuning/search"],
    "plan-experiment": ["config/tasks", "config/models", "config/augment"],
    "evaluate": ["config/tasks", "config/models"],
    "bundle": ["config/tasks", "config/models"],
    "register": ["config/tasks", "config/models"],
    "predict-dataset": ["config/sources", "config/tasks", "config/models"],
}
"""Modules and packages in which what a step imports is named, as "module:attribute"."""


def of_files(test):
    return pytest.mark.parametrize("path", ENVIRONMENTS, ids=lambda path: path.stem)(test)


def pip_pins(path: Path) -> list[str]:
    (pip,) = (entry["pip"] for entry in dependencies(path) if isinstance(entry, dict))
    return pip


def names_of(path: Path) -> set[str]:
    return {name_of(pin) for pin in pip_pins(path)}


def name_of(pin: str) -> str:
    return canonicalize_name(Requirement(pin).name)


def dependencies(path: Path) -> list:
    return yaml.safe_load(path.read_text("utf-8"))["dependencies"]


def jobs() -> dict[str, tuple[str, Path]]:
    """Step and environment file of each rule that runs a command."""
    found = {}
    for file in sorted((ROOT / "workflow" / "rules").glob("*.smk")):
        for rule, body in RULE.findall(file.read_text("utf-8")):
            environment = re.search(r'    conda:\n        "(.+)"', body)
            assert environment, f"rule {rule} of {file.name} names no conda environment"
            found[rule] = STEP.search(body)[1], (file.parent / environment[1]).resolve()
    return found


def modules_of(step: str, monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """All modules of the package that a step imports."""
    monkeypatch.setattr(code, "LEFT_OUT", ())
    wanted = _imports_of_command(step.replace("-", "_"))
    for section in NAMED_BY.get(step, ()):
        for path in [code.ROOT / f"{section}.py", *(code.ROOT / section).glob("*.py")]:
            text = path.read_text("utf-8") if path.is_file() else ""
            wanted |= set(re.findall(r'"(snaketorch[\w.]+):\w+"', text))
    started = [modules_of(other, monkeypatch) for other in STARTED.get(step, ())]
    return code.closure(wanted).union(*started)


def _imports_of_command(step: str) -> set[str]:
    """What a command imports: its function with those that it uses, its file's own imports, and what runs it."""
    tree = _tree(f"snaketorch.commands.{step}")
    functions = {node.name: node for node in tree.body if isinstance(node, ast.FunctionDef)}
    nodes = [node for node in tree.body if node not in functions.values()]
    waiting = {step}
    while waiting:
        node = functions.pop(waiting.pop())
        nodes.append(node)
        waiting |= {used.id for used in ast.walk(node) if isinstance(used, ast.Name)} & functions.keys()
    found = set().union(_imported(_tree("snaketorch.__main__")), *(_imported(node) for node in nodes))
    return {module for module in found if module.startswith("snaketorch.") and _file(module).is_file()}


def third_party(modules: set[str]) -> set[str]:
    """Top-level names that ``modules`` import from other packages, but for an extra that no environment has."""
    names = {name.split(".")[0] for module in modules for name in _imported_by(module)}
    return names - sys.stdlib_module_names - {"snaketorch", "deepspeed"}


@cache
def _imported_by(module: str) -> set[str]:
    return _imported(_tree(module))


def _imported(tree: ast.AST) -> set[str]:
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return found


def _tree(module: str) -> ast.Module:
    return ast.parse(_file(module).read_text("utf-8"))


def _file(module: str) -> Path:
    base = ROOT.joinpath(*module.split("."))
    return base / "__init__.py" if base.is_dir() else base.with_suffix(".py")


def test_every_rule_that_runs_a_command_names_an_environment_file_that_exists():
    assert len(jobs()) >= 6
    assert {environment for _, environment in jobs().values()} == set(ENVIRONMENTS)


def test_every_step_of_the_command_line_has_a_rule_and_so_an_environment():
    steps = {module.replace("_", "-") for module in MODULES}
    assert steps - {step for step, _ in jobs().values()} == BY_HAND


@of_files
def test_an_environment_file_says_nothing_but_name_channels_and_packages(path):
    content = yaml.safe_load(path.read_text("utf-8"))
    assert content.keys() == {"name", "channels", "dependencies"}
    assert content["name"] == f"snaketorch-{path.stem}"
    assert content["channels"] == ["conda-forge", "nodefaults"]
    python, pip, pins = content["dependencies"]
    assert re.fullmatch(r"python =3\.\d+", python)
    assert pip == "pip"
    assert pins.keys() == {"pip"}


@of_files
def test_what_conda_installs_is_said_as_conda_reads_it(path):
    for entry in dependencies(path)[:2]:
        rattler.MatchSpec(entry, strict=True)


@of_files
def test_every_pin_is_exact_and_the_one_of_the_constraints(path):
    pins = pip_pins(path)
    assert [pin for pin in pins if not re.fullmatch(r"[A-Za-z0-9._-]+(\[[a-z]+\])?==[A-Za-z0-9.]+", pin)] == []
    found = {name_of(pin): pin.partition("==")[2] for pin in pins}
    assert len(found) == len(pins)
    assert found == {name: CONSTRAINTS.get(name) for name in found}
    assert "snaketorch" not in found


def test_one_python_for_all_environments_that_the_package_admits():
    pythons = {dependencies(path)[0] for path in ENVIRONMENTS}
    assert len(pythons) == 1
    minor = pythons.pop().removeprefix("python =")
    assert SpecifierSet(PROJECT["requires-python"]).contains(minor)


@of_files
def test_pins_are_up_to_date_and_complete(path):
    python = dependencies(path)[0].removeprefix("python =")
    installed = {name: metadata.version(name) for name in names_of(path)}
    if f"{sys.version_info[0]}.{sys.version_info[1]}" != python or installed.items() - CONSTRAINTS.items():
        pytest.skip("requirements can be looked up only where the pinned versions are installed")
    text = path.read_text("utf-8")
    assert PINS["pinned"](text) == text, "run: python envs/pins.py"


@pytest.mark.parametrize("rule", sorted(jobs()))
def test_what_a_step_imports_is_in_its_environment(rule, monkeypatch):
    step, environment = jobs()[rule]
    packages = names_of(environment)
    imports = third_party(modules_of(step, monkeypatch))
    assert imports, "every step reads its spec with pydantic"
    assert {name for name in imports if not DISTRIBUTIONS.get(name, set()) & packages} == set()


@of_files
def test_no_environment_has_a_package_that_nothing_uses(path, monkeypatch):
    steps = [step for step, environment in jobs().values() if environment == path]
    imports = set().union(*(third_party(modules_of(step, monkeypatch)) for step in steps))
    imported = set().union(*(DISTRIBUTIONS[name] for name in imports))
    first = path.read_text("utf-8").split(PINS["IMPORTED"])[1].split(PINS["REQUIRED"])[0]
    by_hand = {name_of(pin) for pin in re.findall(r"- (\S+)", first)}
    assert by_hand - imported == set()


def test_the_report_needs_neither_torch_nor_mlflow():
    assert names_of(ROOT / "envs" / "report.yaml").isdisjoint({"torch", "pytorch-lightning", "mlflow"})


@pytest.mark.parametrize("rule", ["summarise_experiment", "report_study"])
def test_a_step_starts_with_nothing_installed_but_its_environment(rule, tmp_path, monkeypatch):
    step, environment = jobs()[rule]
    for name in names_of(environment):
        for file in metadata.files(name):
            top = file.parts[0]
            link, target = tmp_path / top, Path(metadata.distribution(name).locate_file(top))
            if top != ".." and not link.exists() and target.exists():
                link.symlink_to(target)
    modules = sorted(modules_of(step, monkeypatch))
    result = subprocess.run(
        # -S: the interpreter's own site-packages stay out
        [sys.executable, "-S", "-c", f"import {', '.join(modules)}; import sys; print(*sorted(sys.modules))"],
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), str(tmp_path)]), "MPLCONFIGDIR": str(tmp_path)},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    assert {"pydantic", f"snaketorch.report.{'summarise' if step == 'summarise' else 'study'}"} <= {
        *result.stdout.split()
    }


UNPINNED = {"bohb", "deepspeed", "hyperopt"}
"""Extras that are tried by hand: these tests install none of them."""


@pytest.mark.parametrize("extra", [None, *sorted(PROJECT["optional-dependencies"].keys() - UNPINNED)])
def test_every_dependency_of_the_project_is_pinned_within_its_bounds(extra):
    wishes = [
        Requirement(text) for text in (PROJECT["optional-dependencies"][extra] if extra else PROJECT["dependencies"])
    ]
    assert wishes
    for wish in wishes:
        assert wish.specifier.contains(CONSTRAINTS[canonicalize_name(wish.name)]), wish


def test_what_the_package_imports_is_a_dependency_or_required_by_one():
    modules = {
        ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
        for path in code.ROOT.rglob("*.py")
    }
    extras = PROJECT["optional-dependencies"].items()
    for_users = [text for name, texts in extras if name not in ("bench", "test", *UNPINNED) for text in texts]
    declared = PINS["required"]([*PROJECT["dependencies"], *for_users])
    unknown = {name for name in third_party(modules) if not DISTRIBUTIONS.get(name, set()) & declared}
    unpinned = {Requirement(text).name for extra in UNPINNED for text in PROJECT["optional-dependencies"][extra]}
    assert unknown - unpinned == set()


def test_hooks_check_with_the_versions_that_the_tests_check_with():
    repos = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text("utf-8"))["repos"]
    revisions = {re.sub(r"-pre-commit$", "", repo["repo"].rsplit("/", 1)[1]): repo["rev"] for repo in repos}
    for tool in ("ruff", "codespell", "snakefmt"):
        assert revisions[tool] == f"v{CONSTRAINTS[tool]}"


def test_the_container_holds_what_users_may_ask_for():
    recipe = (ROOT / "envs/container.def").read_text("utf-8")
    copied = [line.split() for line in recipe.split("%files\n")[1].split("\n\n")[0].splitlines()]

    assert {*re.findall(r"--extra (\w+)", recipe)} == PROJECT["optional-dependencies"].keys() - {
        *{"bench", "test", "batch"},  # Snakemake itself runs outside
        *UNPINNED,
    }
    assert [source for source, _ in copied if not (ROOT / source).is_file()] == []
    assert {target for _, target in copied} == {f"/opt/snaketorch/{source}" for source, _ in copied}

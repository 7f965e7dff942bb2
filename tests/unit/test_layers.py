"""Imports point downwards: what each part of the package may import, functions' imports counted too."""

import ast
import subprocess
import sys
from collections.abc import Iterator, Set
from pathlib import Path
from typing import NamedTuple

import pytest

PACKAGE = Path(__file__).parents[2] / "snaketorch"

FOUNDATION = {"errors", "implementation", "journal", "json_lines", "layout"}
FOUNDATION |= {"parent", "provenance", "publish", "threads"}


class Layer(NamedTuple):
    parts: Set[str] = frozenset()
    """Parts of this package."""
    packages: Set[str] = frozenset()
    """Third-party packages."""


# From the bottom to the top: a part imports only parts above it in this table.
LAYERS = {
    "__init__": Layer(),
    "errors": Layer(),
    "implementation": Layer(),
    "layout": Layer(),
    "parent": Layer(),
    "threads": Layer(),
    "provenance": Layer({"__init__"}),
    "publish": Layer(),
    "json_lines": Layer(),
    "journal": Layer({"json_lines", "provenance", "publish"}),
    "signals": Layer({"errors"}),
    "state": Layer({"errors", "parent", "provenance", "publish"}),
    "failures": Layer({"state", "layout", "provenance", "publish"}),
    "launch": Layer({"errors", "failures", "parent", "signals"}),
    "config": Layer({"errors", "layout", "provenance", "publish"}, {"pydantic", "yaml"}),
    "spec_differences": Layer(),
    "freshness": Layer({"errors", "provenance", "spec_differences"}),
    "class_path": Layer({"config", "errors"}),
    "dag": Layer({"config", *FOUNDATION}),
    "status": Layer({"config", "dag", "failures", "freshness", "spec_differences", "state", *FOUNDATION}),
    "data": Layer(
        {"class_path", "config", *FOUNDATION},
        {
            *{"matplotlib", "numpy", "pandas", "PIL", "pyarrow", "pydantic", "sklearn", "statsmodels", "tokenizers"},
            *{"babel", "torch", "torchvision"},
            *{"av", "datasets", "h5py"},  # extras, imported where they are needed
        },
    ),
    "models": Layer({"class_path", "config", *FOUNDATION}, {"torch", "torchvision"}),
    "tasks": Layer({"config", "data", "models", *FOUNDATION}, {"numpy", "pytorch_lightning", "torch", "torchmetrics"}),
    "hardware": Layer({"config", "data", "launch", "state", *FOUNDATION}, {"torch"}),
    "training": Layer(
        {"config", "data", "failures", "launch", "models", "signals", "state", "tasks", "hardware", *FOUNDATION},
        {"deepspeed", "lightning_fabric", "numpy", "pydantic", "pytorch_lightning", "torch", "torchvision"},
    ),
    "figures": Layer({"publish"}, {"matplotlib", "numpy"}),
    "evaluation": Layer(
        {"config", "data", "models", "tasks", "hardware", "training", "figures", *FOUNDATION},
        {"matplotlib", "numpy", "pyarrow", "scipy", "sklearn", "torch", "torchmetrics"},
    ),
    "inference": Layer(
        {"class_path", "config", "dag", "data", "evaluation", "hardware", "state", "tasks", "training", *FOUNDATION},
        {"numpy", "pandas", "PIL", "pyarrow", "pydantic", "safetensors", "torch"},
    ),
    "tracking": Layer({"config", "launch", *FOUNDATION}, {"mlflow"}),
    "tuning": Layer(
        {
            *{"config", "data", "failures", "launch", "signals", "state", "tasks", "hardware", "training", "figures"},
            *FOUNDATION,
        },
        {"numpy", "optuna", "pytorch_lightning", "ray", "sklearn", "torch", "yaml"},
    ),
    "sweep_plan": Layer({"config"}),
    "gpu_guide": Layer({"config", "errors"}),
    "planning": Layer(
        {
            *{"config", "dag", "data", "gpu_guide", "hardware", "models", "tasks", "training"},
            *FOUNDATION,
        },
        {"numpy", "pytorch_lightning", "torch", "torchvision"},
    ),
    "doctor": Layer({"config", "dag", "hardware", "state", "tracking", *FOUNDATION}, {"torch"}),
    "report": Layer(
        {"config", "figures", "freshness", *FOUNDATION}, {"jinja2", "markupsafe", "matplotlib", "pydantic", "yaml"}
    ),
    "registry": Layer(
        {
            *{"config", "data", "evaluation", "freshness", "inference", "report", "tasks", "tracking"},
            *FOUNDATION,
        },
        {"mlflow", "numpy", "packaging", "pandas", "pyarrow", "pydantic"},
    ),
    "monitoring": Layer(
        {"config", "data", "evaluation", "inference", "report", "tasks", *FOUNDATION},
        {"jinja2", "markupsafe", "numpy", "pandas", "pyarrow", "scipy", "torch"},
    ),
    "commands": Layer(
        {
            *{"config", "dag", "data", "failures", "state", "training", "tuning", "evaluation", "tracking", "report"},
            *{"doctor", "gpu_guide", "launch", "status", "sweep_plan", "registry", "inference", "monitoring"},
            *{"hardware", "planning", *FOUNDATION},
        },
        {"pydantic"},
    ),
    "__main__": Layer({"commands", "failures", "hardware", "launch", "signals", *FOUNDATION}),
}

HEAVY = {"torch", "pytorch_lightning", "lightning", "mlflow", "ray", "pandas", "numpy", "matplotlib", "snakemake"}


def part_of(module: str) -> str:
    """`data` for `snaketorch.data.split`, `__init__` for `snaketorch` itself and what it defines."""
    name = module.split(".")[1] if "." in module else "__init__"
    return name if name in LAYERS or (PACKAGE / name).is_dir() or (PACKAGE / f"{name}.py").exists() else "__init__"


def imports_of(path: Path) -> Iterator[str]:
    """Every module that a file imports, at its top or in a function."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno}: a relative import, which the digests of code do not follow"
            is_package = node.module == "snaketorch"
            yield from (f"{node.module}.{alias.name}" for alias in node.names) if is_package else (node.module,)


def files_of(part: str) -> list[Path]:
    return sorted((PACKAGE / part).rglob("*.py")) or [PACKAGE / f"{part}.py"]


def test_every_part_of_the_package_has_its_place_in_the_table():
    found = {path.relative_to(PACKAGE).parts[0].removesuffix(".py") for path in PACKAGE.rglob("*.py")}

    assert found <= LAYERS.keys()


def test_the_table_itself_points_downwards():
    seen: set[str] = set()
    for part, layer in LAYERS.items():
        assert layer.parts - {part} <= seen, part
        seen.add(part)


@pytest.mark.parametrize("part", LAYERS)
def test_a_part_imports_only_what_its_layer_may(part: str):
    allowed = LAYERS[part]
    for path in files_of(part):
        for module in imports_of(path):
            top = module.split(".")[0]
            if top == "snaketorch":
                assert part_of(module) in {part, *allowed.parts}, f"{path} imports {module}"
            elif top not in sys.stdlib_module_names:
                assert top in allowed.packages, f"{path} imports {module}"


def test_what_the_workflow_imports_is_light():
    light = [part for part, layer in LAYERS.items() if layer.packages <= {"pydantic", "yaml"}]
    modules = [
        ".".join(["snaketorch", *path.relative_to(PACKAGE).with_suffix("").parts]).removesuffix(".__init__")
        for part in light
        for path in files_of(part)
    ]
    assert {"snaketorch.config.load", "snaketorch.dag.workflow", "snaketorch.provenance"} <= set(modules)
    program = (
        "import sys, importlib\n"
        f"for module in {modules}:\n"
        "    importlib.import_module(module)\n"
        f"    heavy = {HEAVY} & set(sys.modules)\n"
        "    if heavy: sys.exit(f'{module} imports {sorted(heavy)}')\n"
    )

    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, cwd=PACKAGE.parent, timeout=300
    )

    assert done.returncode == 0, done.stderr

"""An edit of the package reruns the steps that use what was edited. The package here is a copy."""

import ast
import shutil

import pytest
from expected_jobs import REPORT, from_evaluate, from_prepare, from_train

pytestmark = pytest.mark.workflow

EVERY_EXPERIMENT = ("cnn", "cnn_wide", "gan", "gru", "gru_slow", "lstm")


@pytest.fixture
def own_study(finished_study, tmp_path):
    """A finished study whose package may be edited."""
    finished_study.repository = shutil.copytree(finished_study.repository, tmp_path / "repository")
    return finished_study


def rewrite(study, module, change):
    path = study.repository / "snaketorch" / module
    path.write_text(change(path.read_text("utf-8")), "utf-8")


def another_algorithm(text: str) -> str:
    return text + "\n_EDITED = True\n"


def other_words(text: str) -> str:
    """The same program: formatted by Python, with other docstrings, comments and blank lines."""
    tree = ast.parse(text)
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.FunctionDef | ast.ClassDef):
            documented = ast.get_docstring(node) is not None
            node.body = [ast.Expr(ast.Constant("Another docstring.")), *node.body[documented:]]
    return "# A comment.\n\n\n" + ast.unparse(ast.fix_missing_locations(tree)) + "\n\n\n# The end.\n"


def renamed_variable(text: str) -> str:
    """The same program with one local variable by another name."""
    tree = ast.parse(text)
    names = (
        (function, node.id)
        for function in ast.walk(tree)
        if isinstance(function, ast.FunctionDef)
        for node in ast.walk(function)
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
    )
    function, name = next(names)
    for node in ast.walk(function):
        if isinstance(node, ast.Name) and node.id == name:
            node.id = f"{name}_renamed"
    return ast.unparse(tree)


def test_a_copy_of_the_package_reruns_nothing(own_study):
    assert own_study.dry_run().jobs == set()


@pytest.mark.parametrize(
    "module",
    ["training/fit.py", "data/prepare.py", "evaluation/evaluate.py", "report/study.py", "config/models/cnn.py"],
)
def test_comments_docstrings_and_formatting_rerun_nothing(module, own_study):
    rewrite(own_study, module, other_words)

    assert own_study.dry_run().jobs == set()


def test_a_renamed_variable_of_the_training_trains_again(own_study):
    rewrite(own_study, "training/fit.py", renamed_variable)

    assert own_study.dry_run().jobs == from_train(*EVERY_EXPERIMENT)


@pytest.mark.parametrize(
    ("module", "jobs"),
    [
        ("data/sources/statsmodels.py", from_prepare("sunspots")),
        ("data/sources/sklearn.py", from_prepare("digits", "thumbnails")),
        ("models/recurrent.py", from_train("lstm", "gru", "gru_slow")),
        ("models/cnn.py", from_train("cnn", "cnn_wide")),
        ("tasks/forecasting.py", from_train("gru", "gru_slow")),
        ("evaluation/forecasting.py", from_evaluate("gru", "gru_slow")),
        ("evaluation/predict.py", from_evaluate(*EVERY_EXPERIMENT)),
        ("report/study.py", REPORT),
        ("tracking/upload.py", set()),
        ("__main__.py", set()),
        ("commands/train.py", set()),
        ("failures/kinds.py", set()),
        ("dag/workflow.py", set()),
    ],
)
def test_an_edited_module_reruns_what_uses_it(module, jobs, own_study):
    rewrite(own_study, module, another_algorithm)

    assert own_study.dry_run().jobs == jobs


def test_a_module_that_nobody_imports_reruns_nothing(own_study):
    (own_study.repository / "snaketorch/models/new.py").write_text("NEW = True\n", "utf-8")

    assert own_study.dry_run().jobs == set()


def test_an_edited_template_reruns_the_report(own_study):
    template = own_study.repository / "snaketorch/report/templates/page.css"
    template.write_text(template.read_text("utf-8") + "\n/* edited */\n", "utf-8")

    assert own_study.dry_run().jobs == REPORT


def test_a_module_that_is_gone_is_named(own_study):
    (own_study.repository / "snaketorch/models/cnn.py").unlink()

    outcome = own_study.dry_run()

    assert outcome.code == 1
    assert "there is no module snaketorch.models.cnn" in outcome.stdout + outcome.stderr

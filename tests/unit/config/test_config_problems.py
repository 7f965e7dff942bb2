import pytest

from snaketorch.config.problems import ConfigError, Position, Problem, did_you_mean, dotted, listed
from snaketorch.errors import UserError


def test_a_problem_says_file_line_and_key():
    assert str(Problem("x.yaml", 3, "optimizer.lr", "is wrong")) == "x.yaml:3: optimizer.lr: is wrong"
    assert str(Problem("x.yaml", 0, "", "is empty")) == "x.yaml: is empty"


def test_a_problem_is_one_line_that_can_be_shown():
    problem = Problem.at(Position("x\n.yaml", 1), ("a\x1b[31m",), "odd: \u2028\udcff\x00")

    assert str(problem) == r"x\n.yaml:1: 'a\x1b[31m': odd: \u2028\udcff\x00"


def test_a_problem_on_the_command_line_is_below_the_name_of_its_file():
    place = Position("--config", 0, ("experiments", "cnn"))

    assert str(Problem.at(place, ("seeds", 0), "is wrong")) == "--config: experiments.cnn.seeds.0: is wrong"


def test_an_error_lists_each_problem_once_in_the_order_of_the_files():
    problems = [
        Problem("b", 1, "k", "m"),
        Problem("a", 10, "k", "m"),
        Problem("a", 9, "k", "m"),
        Problem("b", 1, "k", "m"),
    ]

    error = ConfigError(problems)

    assert [(problem.file, problem.line) for problem in error.problems] == [("a", 9), ("a", 10), ("b", 1)]
    assert str(error).splitlines()[0] == "The configuration has 3 problems; no job was started:"
    assert str(ConfigError(problems[:1])).startswith("The configuration has 1 problem; ")
    assert isinstance(error, UserError)


@pytest.mark.parametrize(
    ("word", "meant"),
    [
        ("lrr", "lr"),
        ("LR", "lr"),
        ("weight-decay", "weight_decay"),
        ("momentun", "Momentum"),
        ("zebra", None),
        ("", None),
    ],
)
def test_a_word_that_is_nearly_right_is_recognised(word: str, meant: str | None):
    hint = did_you_mean(word, ["lr", "weight_decay", "Momentum"])

    assert hint == (f"; did you mean '{meant}'?" if meant else "")


def test_odd_keys_are_quoted():
    assert dotted(("a", "b.c", 0, "", "d e", "f-g_1")) == "a.'b.c'.0.''.'d e'.f-g_1"


def test_long_lists_are_cut():
    assert listed(["a", "b"]) == "a, b"
    assert listed([str(number) for number in range(20)], most=3) == "0, 1, 2, ... (20 in all)"

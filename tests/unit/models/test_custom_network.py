import sys

import pytest
import torch

from snaketorch.config.models import Custom
from snaketorch.errors import UserError
from snaketorch.models import build_network
from snaketorch.models.shapes import ImageShape, RowShape, SequenceShape, TokensShape

MODULE = """
import torch
from torch import nn

class Wide(nn.Module):
    def __init__(self, input_shape, num_outputs, width=8):
        super().__init__()
        self.entry = nn.LazyLinear(width)
        self.normal = nn.BatchNorm1d(width)
        self.dropout = nn.Dropout(0.5)
        self.head = nn.Linear(width, num_outputs)
        self.told = input_shape

    def forward(self, image):
        return self.head(self.dropout(self.normal(self.entry(image.flatten(1)))))

class Words(nn.Module):
    def __init__(self, vocabulary_size, num_outputs, each_step):
        super().__init__()
        self.table = nn.Embedding(vocabulary_size, num_outputs)
        self.each_step = each_step

    def forward(self, tokens, length=None):
        states = self.table(tokens)
        return states if self.each_step else states.mean(1)

class Lengths(Words):
    def forward(self, tokens, length):
        return self.table(tokens).sum(1) / length[:, None]

class Steps(nn.Module):
    def __init__(self, input_shape, num_outputs):
        super().__init__()
        self.linear = nn.Linear(input_shape.features, num_outputs)

    def forward(self, sequence):
        return self.linear(sequence).mean(1)

class Rows(nn.Module):
    def __init__(self, numbers, categories, num_outputs):
        super().__init__()
        self.linear = nn.Linear(numbers + len(categories), num_outputs)

    def forward(self, numbers, categories):
        return self.linear(torch.cat([numbers, categories.float()], 1))

class Fixed(nn.Module):
    def forward(self, image):
        return image.new_zeros(len(image), 4)

class Pair(Fixed):
    def forward(self, image):
        return image, image

class Broken(Fixed):
    def forward(self, image):
        return image @ image.new_zeros(3, 3)

class Unmade(nn.Module):
    def __init__(self):
        raise ValueError("no idea")

class Plain:
    pass

def function():
    pass
"""

IMAGE = ImageShape(1, 2, 5)


@pytest.fixture
def lab(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [entry for entry in sys.path if entry not in ("", str(tmp_path))])
    (tmp_path / "net_lab").mkdir()
    (tmp_path / "net_lab" / "nets.py").write_text(MODULE)
    yield tmp_path
    for name in [name for name in sys.modules if name.partition(".")[0] == "net_lab"]:
        del sys.modules[name]


def custom(name: str, shape=IMAGE, num_outputs: int = 3, each_step: bool = False, **init_args):
    options = Custom(kind="custom", class_path=f"net_lab.nets.{name}", init_args=init_args)
    return build_network(options, shape, num_outputs, each_step)


def test_a_class_is_told_what_its_init_has_parameters_for(lab):
    network = custom("Wide", width=6)

    assert network.told == IMAGE
    assert network.entry.weight.shape == (6, 10), "the first call makes what is lazy"
    assert network.training
    assert network(torch.randn(4, *IMAGE)).shape == (4, 3)


def test_trying_a_network_leaves_no_trace(lab):
    torch.manual_seed(3)
    network = custom("Wide")
    after = torch.rand(2)
    torch.manual_seed(3)
    again = custom("Wide")

    assert network.normal.num_batches_tracked == 0
    torch.testing.assert_close(after, torch.rand(2), rtol=0, atol=0)
    torch.testing.assert_close(network.state_dict(), again.state_dict(), rtol=0, atol=0)


def test_a_network_gives_an_output_at_each_step_where_it_is_asked(lab):
    assert custom("Words", TokensShape(5, 9, ragged=True)).table.weight.shape == (9, 3)
    assert custom("Words", TokensShape(5, 9), each_step=True).each_step


def test_a_network_is_tried_with_lengths_exactly_where_it_will_get_them(lab):
    custom("Lengths", TokensShape(5, 9, ragged=True), each_step=False)
    with pytest.raises(UserError, match=r"fails on a batch of \(2, 5\): .*missing .* 'length'"):
        custom("Lengths", TokensShape(5, 9), each_step=False)
    custom("Steps", SequenceShape(7, 2))
    with pytest.raises(UserError, match=r"fails on a batch of \(2, 7, 2\) and \(2,\): "):
        custom("Steps", SequenceShape(7, 2, ragged=True))


def test_a_row_comes_as_numbers_and_categories(lab):
    assert custom("Rows", RowShape(2, (4, 5))).linear.in_features == 4


@pytest.mark.parametrize(
    ("name", "init_args", "message"),
    [
        ("Wides", {}, r"net_lab.nets .* has no class 'Wides'; did you mean 'Wide'.; allowed: "),
        ("Plain", {}, "net_lab.nets.Plain is no subclass of torch.nn.Module"),
        ("function", {}, "net_lab.nets.function is no subclass of torch.nn.Module"),
        ("Wide", {"depth": 3}, r"init_args do not fit net_lab.nets.Wide\(input_shape, num_outputs, width=8\): .*depth"),
        ("Words", {}, r"model.init_args do not fit net_lab.nets.Words.*missing a required argument: 'vocabulary_size'"),
        ("Unmade", {}, r"net_lab.nets.Unmade cannot be made: ValueError: no idea \(.*/net_lab/nets.py:\d+\)"),
        ("Fixed", {}, r"Fixed gives \(2, 4\) for a batch of \(2, 1, 2, 5\); allowed: \(2, 3\)"),
        ("Pair", {}, r"Pair gives tuple; allowed: a tensor \(2, 3\)"),
        ("Broken", {}, r"Broken fails on a batch of \(2, 1, 2, 5\): RuntimeError: .* \(.*/net_lab/nets.py:\d+\)"),
    ],
)  # fmt: skip
def test_a_class_that_does_not_fit_is_refused(lab, name, init_args, message):
    with pytest.raises(UserError, match=message):
        custom(name, **init_args)


def test_a_module_that_is_not_there_is_named(lab):
    with pytest.raises(UserError, match=r"model.class_path: there is no module 'net_lab.nests'"):
        build_network(Custom(kind="custom", class_path="net_lab.nests.Wide"), IMAGE, 3)


def test_sequences_without_lengths_are_read(lab):
    with pytest.raises(UserError, match=r"gives \(2, 4\) for a batch of \(2, 7, 2\); allowed: \(2, 7, 3\)"):
        custom("Fixed", SequenceShape(7, 2), each_step=True)

import pytest
import torch
from pydantic import TypeAdapter, ValidationError

from snaketorch.config.models import Gru, Lstm, Model, Rnn, Transformer
from snaketorch.errors import UserError
from snaketorch.models import build_network
from snaketorch.models.shapes import SequenceShape, TokensShape
from snaketorch.models.stepwise import Stepwise

VALUES, TOKENS = SequenceShape(steps=16, features=3), TokensShape(steps=16, vocabulary_size=9)
KINDS = ("rnn", "lstm", "gru", "transformer")
POOLINGS = ("last", "mean", "max", "attention")


def build(kind, shape=VALUES, each_step=False, **options):
    torch.manual_seed(0)
    section = TypeAdapter(Model).validate_python({"kind": kind, "hidden": 8, **options})
    return build_network(section, shape, 4, each_step).eval()


def some(shape, count=4, steps=16):
    torch.manual_seed(1)
    if shape is TOKENS:
        return torch.randint(1, 9, (count, steps))
    return torch.randn(count, steps, 3)


VARIANTS = [
    {"kind": kind, "pooling": pooling, "layers": layers}
    for kind in KINDS
    for pooling in POOLINGS
    for layers in (1, 2)
    if layers == 1 or pooling in ("last", "mean")
]
BOTH_WAYS = [{**options, "bidirectional": True} for options in VARIANTS if options["kind"] != "transformer"]


@pytest.mark.parametrize("shape", [VALUES, TOKENS], ids=["values", "tokens"])
@pytest.mark.parametrize("options", [*VARIANTS, *BOTH_WAYS], ids=lambda o: "-".join(map(str, o.values())))
def test_a_sample_gives_the_same_alone_and_padded_among_others(shape, options):
    network = build(**options, shape=shape)
    length = torch.tensor([2, 16, 1, 5])
    samples = some(shape)
    for row, steps in enumerate(length):  # what stands after the end is anything
        samples[row, steps:] = 7 if shape is TOKENS else 1e3
    together = network(samples, length)
    for row, steps, said in zip(samples, length.tolist(), together, strict=True):
        torch.testing.assert_close(said, network(row[None, :steps])[0], atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("options", [*VARIANTS, *BOTH_WAYS], ids=lambda o: "-".join(map(str, o.values())))
def test_padding_gets_no_gradient(options):
    network = build(**options)
    samples = some(VALUES).requires_grad_()
    network(samples, torch.tensor([2, 16, 1, 5])).square().sum().backward()
    assert samples.grad[0, 2:].abs().max() == 0
    assert samples.grad[0, :2].abs().max() > 0


@pytest.mark.parametrize("kind", ["rnn", "lstm", "gru"])
def test_both_ways_is_what_torch_makes_of_packed_sequences(kind):
    network = build(kind, layers=2, bidirectional=True)
    theirs = {"rnn": torch.nn.RNN, "lstm": torch.nn.LSTM, "gru": torch.nn.GRU}[kind](
        3, 8, num_layers=2, bidirectional=True, batch_first=True
    )
    for layer, pair in enumerate(network.cells.layers):
        for cells, suffix in ((pair.forwards, ""), (pair.backwards, "_reverse")):
            for name, weight in cells.named_parameters():
                getattr(theirs, name.replace("l0", f"l{layer}{suffix}")).data.copy_(weight.data)
    length, samples = torch.tensor([2, 16, 1, 5]), some(VALUES)
    packed = torch.nn.utils.rnn.pack_padded_sequence(samples, length, batch_first=True, enforce_sorted=False)
    _, state = theirs(packed)
    hidden = state[0] if kind == "lstm" else state
    torch.testing.assert_close(network(samples, length), network.head(torch.cat(list(hidden[-2:]), dim=1)))


@pytest.mark.parametrize("shape", [VALUES, TOKENS], ids=["values", "tokens"])
@pytest.mark.parametrize("kind", KINDS)
def test_an_output_at_each_step_sees_nothing_of_what_comes_after(kind, shape):
    network = build(kind, shape, each_step=True, layers=2)
    samples = some(shape)
    whole = network(samples)
    assert whole.shape == (4, 16, 4)
    changed = samples.clone()
    changed[:, 9:] = 3
    torch.testing.assert_close(network(changed)[:, :9], whole[:, :9], atol=1e-6, rtol=1e-5)
    assert not torch.allclose(network(changed)[:, 9:], whole[:, 9:])
    torch.testing.assert_close(network(samples[:, :6]), whole[:, :6], atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("shape", [VALUES, TOKENS], ids=["values", "tokens"])
@pytest.mark.parametrize("kind", ["rnn", "lstm", "gru"])
def test_steps_taken_one_by_one_give_what_the_whole_gives(kind, shape):
    network = build(kind, shape, each_step=True, layers=2)
    assert isinstance(network, Stepwise)
    samples, state, outputs = some(shape), None, []
    for step in range(16):
        output, state = network.step(samples[:, step], state)
        outputs.append(output)
    torch.testing.assert_close(torch.stack(outputs, 1), network(samples), atol=1e-6, rtol=1e-5)


def test_a_transformer_cannot_go_step_by_step():
    assert not isinstance(build("transformer", each_step=True), Stepwise)


@pytest.mark.parametrize("positions", ["learned", "sinusoidal"])
def test_a_transformer_knows_the_order_of_steps(positions):
    network = build("transformer", positions=positions, dropout=0.0)
    samples = some(VALUES)
    assert not torch.allclose(network(samples), network(samples.flip(1)), atol=1e-4)
    assert network(some(VALUES, steps=24)).shape == (4, 4)  # padding may go beyond the longest


def test_an_odd_number_of_units_has_positions_too():
    assert build("transformer", hidden=7, heads=1)(some(VALUES)).shape == (4, 4)


def test_heads_must_share_the_units():
    with pytest.raises(ValidationError, match="heads: 3 do not share hidden \\(8\\) evenly; allowed: 1, 2, 4, 8"):
        Transformer(kind="transformer", hidden=8, heads=3)


@pytest.mark.parametrize("kind", KINDS)
def test_the_head_alone_depends_on_the_outputs_and_blocks_hold_every_weight_once(kind):
    for options in ({}, {"bidirectional": True} if kind != "transformer" else {"positions": "learned"}):
        for shape in (VALUES, TOKENS):
            network = build(kind, shape, layers=2, pooling="attention", **options)
            blocks = network.blocks()
            assert blocks[-1] is network.head
            weights = [id(weight) for block in blocks for weight in block.parameters()]
            assert sorted(weights) == sorted(id(weight) for weight in network.parameters())
            other = build_network(
                TypeAdapter(Model).validate_python(
                    {"kind": kind, "hidden": 8, "layers": 2, "pooling": "attention", **options}
                ),
                shape,
                7,
            )
            differ = {
                name for name, weight in network.state_dict().items() if weight.shape != other.state_dict()[name].shape
            }
            assert differ == {"head.weight", "head.bias"}


def test_the_rnn_can_have_either_nonlinearity():
    assert [build("rnn", nonlinearity=name).cells.nonlinearity for name in ("tanh", "relu")] == ["tanh", "relu"]


def test_stacked_layers_that_read_forwards_are_one_call():
    network = build("lstm", layers=3)
    assert isinstance(network.cells, torch.nn.LSTM)
    assert network.cells.num_layers == 3


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("shape", "said"),
    [
        (TokensShape(5, 2), "the vocabulary has 2 tokens"),
        (SequenceShape(0, 3), "0 steps with 3 values each: there is nothing to read"),
        (SequenceShape(3, 0), "3 steps with 0 values each"),
    ],
)
def test_nothing_to_read_is_refused(kind, shape, said):
    with pytest.raises(UserError, match=said):
        build(kind, shape)


@pytest.mark.parametrize("section", [Rnn(kind="rnn"), Lstm(kind="lstm"), Gru(kind="gru")], ids=lambda o: o.kind)
def test_the_defaults_take_the_last_state(section):
    assert (section.pooling, section.bidirectional, section.layers) == ("last", False, 1)

"""What the record says of a network, against counts by hand."""

import torch

from snaketorch.config.models import Cnn, Lstm
from snaketorch.config.tasks import ImageClassification, SequenceClassification
from snaketorch.data.manifest import Manifest
from snaketorch.tasks import build_task, samples_of
from snaketorch.training.network_facts import network_facts
from tests.unit.prepared_by_hand import write_images, write_sequences


def facts_of(options, model, manifest):
    task = build_task(options, model, manifest.facts())
    batch = samples_of(task, manifest, "train").batch(torch.arange(3))
    return network_facts(task, batch, task.network.parameters())


def test_layers_are_listed_with_weights_outputs_and_operations(tmp_path):
    manifest = Manifest.load(write_images(tmp_path / "images"))
    channels, height, width = manifest.fields["image"]["shape"]
    model = Cnn(kind="cnn", channels=[4], hidden=5)
    facts = facts_of(ImageClassification(kind="image_classification"), model, manifest)

    layers = facts["layers"]
    convolution, dense = (next(layer for layer in layers if layer["type"] == kind) for kind in ("Conv2d", "Linear"))
    assert convolution["parameters"] == 4 * channels * 9
    assert convolution["output"] == [4, height, width]
    assert convolution["flops"] == 2 * 4 * channels * 9 * height * width
    assert dense["flops"] == 2 * 4 * (height // 2) * (width // 2) * 5
    assert facts["parameters"] == facts["trainable_parameters"] == sum(layer["parameters"] for layer in layers)
    assert facts["flops"] == sum(layer["flops"] for layer in layers)


def test_a_fused_recurrent_layer_is_counted(tmp_path):
    manifest = Manifest.load(write_sequences(tmp_path / "sequences", ragged=False))
    steps, channels = manifest.fields["value"]["shape"]
    model = Lstm(kind="lstm", hidden=8)
    facts = facts_of(SequenceClassification(kind="sequence_classification"), model, manifest)
    assert facts["flops"] == 2 * steps * 4 * 8 * (channels + 8) + 2 * 8 * len(manifest.classes)


def test_network_and_random_state_stay_as_they_are(tmp_path):
    manifest = Manifest.load(write_images(tmp_path / "images"))
    task = build_task(ImageClassification(kind="image_classification"), Cnn(kind="cnn", channels=[4]), manifest.facts())
    before, state = {k: v.clone() for k, v in task.state_dict().items()}, torch.get_rng_state()
    network_facts(task.train(), samples_of(task, manifest, "train").batch(torch.arange(3)), [])
    assert all(torch.equal(value, before[name]) for name, value in task.state_dict().items())
    assert torch.equal(torch.get_rng_state(), state)
    assert all(module.training for module in task.modules())

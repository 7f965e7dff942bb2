import pytest
import torch
from torch.nn import functional as F

from snaketorch.config.models import Cnn, Gru
from snaketorch.config.tasks import ImageClassification, SequenceClassification
from snaketorch.data.manifest import Manifest
from snaketorch.errors import DataError, UserError
from snaketorch.tasks import build_task, samples_of
from tests.unit.prepared_by_hand import write_images, write_sequences


def of_images(folder, **options):
    manifest = Manifest.load(write_images(folder / "images"))
    options = ImageClassification(kind="image_classification", **options)
    return build_task(options, Cnn(kind="cnn", channels=[4]), manifest.facts()).eval(), manifest


def of_sequences(folder, ragged, **network):
    manifest = Manifest.load(write_sequences(folder / "sequences", ragged))
    options = SequenceClassification(kind="sequence_classification")
    return build_task(options, Gru(kind="gru", hidden=8, **network), manifest.facts()).eval(), manifest


def test_images_that_are_normalised_are_taken_as_they_are(tmp_path):
    task, manifest = of_images(tmp_path)
    batch = samples_of(task, manifest, "train").batch(torch.arange(6))
    normalised = (batch["image"].float() / 255 - task.inputs.mean) / task.inputs.std
    torch.testing.assert_close(task(batch["image"]), task(normalised))


def test_mixed_samples_count_for_both_classes_by_their_shares(tmp_path):
    task, manifest = of_images(tmp_path, label_smoothing=0.1)
    batch = samples_of(task, manifest, "train").batch(torch.arange(3))
    share, other = torch.tensor([1.0, 0.75, 0.2]), torch.tensor([1, 0, 1])
    measured = task.measure({**batch, "mixed_label": other, "mixed_share": share})
    logits = task(batch["image"])
    target = F.one_hot(batch["label"], 2) * share[:, None] + F.one_hot(other, 2) * (1 - share[:, None])
    torch.testing.assert_close(measured["loss"], F.cross_entropy(logits, target, label_smoothing=0.1))
    torch.testing.assert_close(measured["accuracy"], target[torch.arange(3), logits.argmax(1)].mean())


def test_samples_mixed_with_nothing_are_measured_as_they_are(tmp_path):
    task, manifest = of_images(tmp_path)
    batch = samples_of(task, manifest, "train").batch(torch.arange(6))
    mixed = task.measure({**batch, "mixed_label": 1 - batch["label"], "mixed_share": torch.ones(6)})
    torch.testing.assert_close(mixed, task.measure(batch))


@pytest.mark.parametrize("bidirectional", [False, True], ids=["forwards", "both ways"])
def test_a_sequence_is_classified_alike_alone_and_beside_longer_ones(tmp_path, bidirectional):
    task, manifest = of_sequences(tmp_path, ragged=True, bidirectional=bidirectional)
    samples = samples_of(task, manifest, "test")
    together = task.predict(samples.batch(torch.arange(20)))
    for number in range(20):
        alone = task.predict(samples.batch(torch.tensor([number])))
        torch.testing.assert_close(together["logits"][number], alone["logits"][0], atol=1e-5, rtol=1e-5)
        assert together["label"][number] == alone["label"][0]


@pytest.mark.parametrize("ragged", [True, False], ids=["ragged", "equal"])
def test_sequences_are_normalised_and_their_padding_is_zero(tmp_path, ragged):
    task, manifest = of_sequences(tmp_path, ragged)
    seen = []
    task.network.register_forward_pre_hook(lambda _, inputs: seen.append(inputs))
    batch = samples_of(task, manifest, "train").batch(torch.arange(60))
    task.predict(batch)
    value, *length = seen[0]
    assert len(length) == ragged
    real = torch.arange(value.shape[1]) < (length[0][:, None] if ragged else value.shape[1])
    real = real.expand(value.shape[:2])
    assert not value[~real].any()
    torch.testing.assert_close(value[real].mean(0), torch.zeros(2), atol=1e-3, rtol=0)
    torch.testing.assert_close(value[real].std(0, correction=0), torch.ones(2), atol=1e-3, rtol=0)


def test_weighted_classes_count_as_torch_has_it(tmp_path):
    task, manifest = of_images(tmp_path, class_weights=[1.0, 3.0], label_smoothing=0.1)
    batch = samples_of(task, manifest, "train").batch(torch.arange(5))
    expected = F.cross_entropy(
        task(batch["image"]), batch["label"], weight=torch.tensor([1.0, 3.0]), label_smoothing=0.1
    )
    torch.testing.assert_close(task.measure(batch)["loss"], expected)
    assert set(task.measure(batch)) == {"loss", "accuracy"}


def test_mixed_samples_have_the_weights_of_both_classes_by_their_shares(tmp_path):
    task, manifest = of_images(tmp_path, class_weights=[1.0, 3.0])
    batch = samples_of(task, manifest, "train").batch(torch.arange(3))
    share, other = torch.tensor([1.0, 0.75, 0.2]), torch.tensor([1, 0, 1])
    target = F.one_hot(batch["label"], 2) * share[:, None] + F.one_hot(other, 2) * (1 - share[:, None])
    weighted = target * torch.tensor([1.0, 3.0])
    expected = -(weighted * task(batch["image"]).log_softmax(1)).sum() / weighted.sum()
    measured = task.measure({**batch, "mixed_label": other, "mixed_share": share})
    torch.testing.assert_close(measured["loss"], expected)


def test_balanced_weights_make_classes_count_alike(tmp_path):
    _, manifest = of_images(tmp_path)
    options = ImageClassification(kind="image_classification", class_weights="balanced")
    task = build_task(options, Cnn(kind="cnn", channels=[4]), manifest.facts() | {"class_counts": [15, 45]})
    assert task.class_weights.tolist() == pytest.approx([60 / (2 * 15), 60 / (2 * 45)])
    assert "class_weights" not in task.state_dict()


def test_a_class_among_the_most_probable_ones_counts_for_top_k(tmp_path):
    _, manifest = of_images(tmp_path)
    options = ImageClassification(kind="image_classification", top_k=2)
    task = build_task(options, Cnn(kind="cnn", channels=[4]), manifest.facts() | {"classes": ["a", "b", "c"]})
    logits = torch.tensor([[3.0, 2, 1], [3, 2, 1], [3, 2, 1]])
    measured = task._against(logits, torch.tensor([0, 1, 2]))
    assert measured["top_2_accuracy"].tolist() == [1, 1, 0]
    assert measured["accuracy"].tolist() == [1, 0, 0]
    assert "top_2_accuracy" in options.logged and "top_2_accuracy" in options.metrics


@pytest.mark.parametrize(
    ("changes", "options", "error", "match"),
    [
        ({"classes": ["cat"]}, {}, DataError, "one class only, 'cat'"),
        ({}, {"class_weights": [1.0, 2.0, 3.0]}, UserError, "3 weights for the 2 classes"),
        ({}, {"top_k": 2}, UserError, "allowed: below 2"),
        ({}, {"multi_label": True}, DataError, "has one class for each sample"),
    ],
)
def test_what_cannot_be_learnt_is_refused_before_training(tmp_path, changes, options, error, match):
    manifest = Manifest.load(write_images(tmp_path / "images"))
    options = ImageClassification(kind="image_classification", **options)
    with pytest.raises(error, match=match):
        build_task(options, Cnn(kind="cnn", channels=[4]), manifest.facts() | changes)

import copy

import pytest
import torch
from torch import nn

from snaketorch.config.models import Cnn, DcGan, Gan
from snaketorch.config.tasks import Gan as Options
from snaketorch.config.tasks import ImageClassification
from snaketorch.data.manifest import Manifest
from snaketorch.errors import UserError
from snaketorch.tasks import build_task, samples_of
from snaketorch.tasks.adversarial.losses import GAMES, gradient_penalty

SCORES = torch.tensor([-1.0, 0.5, 2.0])
SMALL_CNN = Cnn(kind="cnn", channels=[4], hidden=9)


def gan_of(manifest: Manifest, model=None, **options):
    return build_task(Options(kind="gan", **options), model or Gan(kind="gan", hidden=[8]), manifest.facts())


@pytest.fixture
def prepared(digits) -> Manifest:
    return Manifest.load(digits)


@pytest.mark.parametrize("game", GAMES)
def test_gradients_of_every_game_pull_the_scores_apart_and_the_generator_up(game):
    real, fake = SCORES.clone().requires_grad_(), SCORES.clone().requires_grad_()
    GAMES[game].discriminator(real, fake, 1.0).backward()
    of_real, of_fake = real.grad, fake.grad
    if game == "least_squares":  # it pulls to targets, so scores beyond them come back
        of_real, of_fake = of_real[SCORES < 1], of_fake[SCORES > 0]
    assert (of_real <= 0).all()
    assert (of_fake >= 0).all()
    assert of_real.min() < 0 < of_fake.max()
    made = torch.zeros(3, requires_grad=True)
    GAMES[game].generator(made).backward()
    assert (made.grad < 0).all()


def test_a_smoothed_target_punishes_too_much_certainty():
    certain = torch.full((1,), 9.0)
    loss = GAMES["non_saturating"].discriminator
    assert loss(certain, -certain, 0.9) > loss(certain, -certain, 1.0)


def test_the_penalty_is_the_distance_of_the_slope_from_one():
    weight = torch.full((1, 1, 2, 2), 3.0, requires_grad=True)  # a slope of length 6 everywhere
    penalty = gradient_penalty(
        lambda image: (image * weight).flatten(1).sum(1), torch.rand(5, 1, 2, 2), torch.rand(5, 1, 2, 2)
    )
    assert penalty.item() == pytest.approx(25)
    penalty.backward()
    assert weight.grad.abs().sum() > 0


def test_the_same_numbers_give_the_same_images_however_they_are_grouped(prepared):
    task = gan_of(prepared).eval()
    label = torch.zeros(6, dtype=torch.int64)
    together = task.generate(range(6), label, "test")
    apart = torch.cat([task.generate([number], label[:1], "test") for number in range(6)])
    torch.testing.assert_close(together, apart, atol=1.0, rtol=0)  # a rounded byte
    assert not torch.equal(together, task.generate(range(6), label, "val"))
    assert together.shape == (6, 1, 16, 16)
    assert 0 <= together.min() < together.max() <= 255


def test_bytes_and_what_augmentation_normalised_are_the_same_images(prepared):
    task = gan_of(prepared)
    image = samples_of(task, prepared, "train").batch(torch.arange(8))["image"]
    normalised = (image.float() / 255 - task.mean) / task.std
    from_bytes, from_floats = task._real({"image": image}), task._real({"image": normalised})
    torch.testing.assert_close(from_bytes, from_floats, atol=1e-5, rtol=0)
    assert (from_bytes.min(), from_bytes.max()) == (-1, 1)


@pytest.mark.parametrize("game", GAMES)
def test_the_loss_of_a_probe_reaches_every_weight_of_both_networks(game, prepared):
    task = gan_of(prepared, DcGan(kind="dcgan", channels=[4], conditional=True, discriminator_norm="none"), loss=game)
    task.measure(samples_of(task, prepared, "train").batch(torch.arange(16)))["loss"].backward()
    without = [name for name, weight in task.network.named_parameters() if weight.grad is None]
    assert without == []


def test_features_are_what_the_last_layer_of_the_classifier_reads(prepared):
    classifier = build_task(ImageClassification(kind="image_classification"), SMALL_CNN, prepared.facts())
    image = samples_of(classifier, prepared, "val").batch(torch.arange(5))["image"]
    task = gan_of(prepared, features={"from_experiment": "a_cnn"})
    task.use({"features": classifier})
    features = task.features(image)
    head = [layer for layer in classifier.network.head.modules() if isinstance(layer, nn.Linear)][-1]
    torch.testing.assert_close(head(features), classifier(image))
    assert "a_cnn" in task.features.description
    assert not any("classifier" in name for name in task.state_dict())


def test_without_a_classifier_images_are_compared_by_their_pixels(prepared):
    task = gan_of(prepared)
    image = samples_of(task, prepared, "val").batch(torch.arange(5))["image"]
    features = task.features(image)
    assert features.shape == (5, 64)
    assert features[0, 0].item() == pytest.approx(image[0, 0, :2, :2].float().mean().item() / 255, abs=1e-6)


def test_a_classifier_of_other_images_is_refused(prepared):
    facts = copy.deepcopy(prepared.facts())
    facts["fields"]["image"]["shape"] = [1, 20, 20]
    classifier = build_task(ImageClassification(kind="image_classification"), SMALL_CNN, facts)
    task = gan_of(prepared, features={"from_experiment": "large"})
    with pytest.raises(UserError, match=r"'large' classifies images of 20x20 pixels with 1 channel, but .* 16x16"):
        task.use({"features": classifier})


@pytest.mark.parametrize("head", [None, "last", nn.Flatten()], ids=["absent", "no module", "not dense"])
def test_a_classifier_whose_last_layer_cannot_be_found_is_refused(head, prepared):
    classifier = build_task(ImageClassification(kind="image_classification"), SMALL_CNN, prepared.facts())
    classifier.network = nn.Sequential(nn.Flatten(), nn.Linear(256, 10))
    if head is not None:
        classifier.network.head = head
    task = gan_of(prepared, features={"from_experiment": "my_own"})
    with pytest.raises(UserError, match=r"network of 'my_own', Sequential, has no attribute `head` with a dense layer"):
        task.use({"features": classifier})


def with_several_labels(manifest: Manifest) -> dict:
    facts = copy.deepcopy(manifest.facts())
    facts["fields"]["label"]["shape"] = [10]
    return facts


@pytest.mark.parametrize(("kind", "section"), [("gan", Gan), ("dcgan", DcGan)])
def test_images_of_several_labels_have_no_class_to_generate_by(kind, section, prepared):
    options = Options(kind="gan")
    with pytest.raises(UserError, match=r"conditional: true needs one class for each image, and dataset 'digits' has"):
        build_task(options, section(kind=kind, conditional=True), with_several_labels(prepared))


def test_without_classes_images_of_several_labels_are_learnt_from(prepared):
    task = build_task(Options(kind="gan"), Gan(kind="gan", hidden=[8]), with_several_labels(prepared))
    batch = samples_of(task, prepared, "train").batch(torch.arange(6))
    batch["label"] = torch.ones(6, 10, dtype=torch.int64)
    assert task.measure(batch)["loss"].isfinite()
    assert task.predict(batch)["generated"].shape == batch["image"].shape

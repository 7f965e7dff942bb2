import json
from itertools import combinations

import numpy as np
import pytest
from matplotlib.text import Text

from snaketorch.config.specs import AugmentationSpec
from snaketorch.data.augmentation_picture import draw_augmentation
from snaketorch.data.manifest import Manifest
from snaketorch.data.preview import style
from snaketorch.errors import DataError

WINDOWS = {"window": 33, "horizon": 3, "stride": 4}


@pytest.fixture
def draw(monkeypatch, tmp_path):
    """Draws the picture and gives the figure."""
    drawn = []
    save = style.save
    monkeypatch.setattr(style, "save", lambda figure, path: (drawn.append(figure), save(figure, path)))

    def make(manifest, name="augmentation.png", seed=0, windows=None, **augment):
        spec = {"experiment": "some", "seed": seed, "data": manifest.dataset, "augment": augment, "windows": windows}
        draw_augmentation(AugmentationSpec.model_validate(spec), manifest.path, tmp_path / name, "c0de")
        return drawn[-1]

    return make


@pytest.fixture
def texts(dataset, tmp_path):
    """A prepared dataset of texts with two classes."""
    lines = [{"text": f"{'good' if row % 2 else 'bad'} $x$ in line\n{row}", "label": row % 2} for row in range(60)]
    path = tmp_path / "reviews.jsonl"
    path.write_text("".join(json.dumps(line) + "\n" for line in lines), "utf-8")
    source = {"kind": "text", "path": str(path), "label": "label"}
    return dataset.prepare(source, options={"tokenizer": {"kind": "word"}})


@pytest.fixture
def sequences(dataset, tmp_path):
    """A prepared dataset of sequences with four channels and three classes."""
    random, labels = np.random.default_rng(0), np.arange(60) % 3
    np.savez(tmp_path / "some.npz", x=random.normal(5, 2, (60, 30, 4)) * [1, 10, 100, 1000], y=labels)
    source = {"kind": "arrays", "path": str(tmp_path / "some.npz"), "content": "sequences", "samples": "x"}
    return dataset.prepare(source | {"labels": "y"})


def pictures(figure):
    return np.array([axes.images[0].get_array() for axes in figure.axes]).reshape(6, 7, 8, 8, 3)


def said(figure):
    """All texts of a figure with their boxes in pixels."""
    items = [*figure.texts, *(item for axes in figure.axes for item in axes.get_children() if isinstance(item, Text))]
    return {item: item.get_window_extent() for item in items if item.get_text()}


def words(figure):
    return " ".join(" ".join(text.get_text() for text in figure.texts).split())


def assert_legible(figure):
    drawn, (width, height) = figure.get_tightbbox(), figure.get_size_inches()
    assert drawn.x0 >= 0 and drawn.y0 >= 0 and drawn.x1 <= width and drawn.y1 <= height
    for (one, box), (other, other_box) in combinations(said(figure).items(), 2):
        assert not box.overlaps(other_box), f"{one} runs into {other}"


def test_original_images_stand_beside_what_each_epoch_makes_of_them(draw, prepared_digits):
    figure = draw(prepared_digits, rotate=30)
    shown = pictures(figure)
    images, labels = (prepared_digits.arrays("train")[field] for field in ("image", "label"))
    for row in range(6):
        first = images[np.flatnonzero(labels == row)[0], 0]
        assert np.allclose(shown[row, 0, ..., 0] * 255, first, atol=1e-4)
        assert len({epoch.tobytes() for epoch in shown[row]}) == 7
    assert_legible(figure)


def test_the_head_has_the_section_as_it_is_written(draw, prepared_digits):
    figure = draw(prepared_digits, rotate=30, scale=[0.9, 1.1], rand_augment={"magnitude": 3}, padding_mode="border")
    section = "{rotate: 30, scale: [0.9, 1.1], padding_mode: border, rand_augment: {num_ops: 2, magnitude: 3}}"
    assert words(figure).startswith("some Training images as they are, and as the training with seed 0 sees them")
    assert f"augment: {section}" in words(figure)


def test_nothing_is_cut_off_when_every_key_is_used(draw, prepared_digits):
    shares = ("horizontal_flip", "vertical_flip", "translate", "grayscale", "blur", "erase")
    amounts = {"shear": 10, "brightness": 0.3, "contrast": 0.3, "saturation": 0.3, "hue": 0.1, "noise": 0.1}
    assert_legible(draw(prepared_digits, rotate=10, **dict.fromkeys(shares, 1.0), **amounts, mixup=0.2, cutmix=1.0))


def test_what_is_shown_is_no_longer_normalised(draw, prepared_digits):
    shown = pictures(draw(prepared_digits, horizontal_flip=1))
    assert np.allclose(shown[:, 1], shown[:, 0, :, ::-1], atol=1e-3)


def test_mixed_images_say_of_what(draw, prepared_digits):
    figure = draw(prepared_digits, mixup=1.0)
    labels = [text.get_text().split("\n") for axes in figure.axes[1:7] for text in axes.texts]
    assert len(labels) == 6 and max(map(len, labels)) == 2
    for parts in labels:
        shares = {name: int(share) for share, _, name in (part.split() for part in parts)}
        assert sum(shares.values()) == 100 and 0 not in shares.values() and len(shares) == len(parts)
    assert_legible(figure)


def test_the_same_spec_gives_the_same_bytes_and_another_seed_others(draw, prepared_digits, tmp_path):
    for name, seed in (("a", 0), ("b", 0), ("c", 1)):
        draw(prepared_digits, name, seed, translate=0.3)
    one, two, other = ((tmp_path / name).read_bytes() for name in "abc")
    assert one == two != other


def test_windows_of_a_series_are_those_of_the_task(draw, prepared_sunspots):
    figure = draw(prepared_sunspots, windows=WINDOWS, jitter=0.5)
    values = prepared_sunspots.arrays("train")["value"][:, 0]
    mean, std = (prepared_sunspots.fields["value"]["statistics"][name][0] for name in ("mean", "std"))
    windows = np.lib.stride_tricks.sliding_window_view(values, 36)[::4]
    original, changed = (figure.axes[column].lines[-1].get_ydata() for column in (0, 1))
    last = figure.axes[25].lines[-1].get_ydata()
    assert np.allclose(original * std + mean, windows[0], atol=1e-3)
    assert np.allclose(last * std + mean, windows[-1], atol=1e-3)
    assert 0.2 < (changed - original)[:33].std() < 0.8
    assert np.allclose(changed[33:], original[33:])
    assert figure.axes[0].patches[0].get_x() == 32.5
    assert_legible(figure)


def test_a_window_draws_what_the_training_draws(draw, prepared_sunspots):
    from snaketorch.data.augment import build_augmentation
    from snaketorch.data.loading.samples import WindowSamples, as_tensor

    figure = draw(prepared_sunspots, windows=WINDOWS, seed=3, jitter=0.5)
    values = as_tensor(prepared_sunspots.arrays("train")["value"]).float()
    samples = WindowSamples(values, 33, 3, stride=4)
    spec = AugmentationSpec.model_validate(
        {"experiment": "some", "seed": 3, "data": "sunspots", "augment": {"jitter": 0.5}, "windows": WINDOWS}
    )
    augmentation = build_augmentation(spec.augment, prepared_sunspots.provides, prepared_sunspots.fields, 3)
    last = len(samples) - 1
    batch = augmentation(samples.batch(as_tensor(np.array([5, last]))), epoch=1)
    mean, std = (prepared_sunspots.fields["value"]["statistics"][name][0] for name in ("mean", "std"))
    shown = figure.axes[27].lines[-1].get_ydata()[:33]
    assert np.allclose(shown, (batch["window"][1, :, 0].numpy() - mean) / std, atol=1e-5)


def test_a_series_that_is_too_short_for_a_window_is_named(draw, prepared_sunspots):
    with pytest.raises(DataError, match="too few for a window of 500 and a horizon of 3; allowed: a shorter"):
        draw(prepared_sunspots, windows=WINDOWS | {"window": 500}, jitter=0.5)


def test_channels_of_sequences_are_named_and_share_a_scale(draw, sequences):
    figure = draw(sequences, amplitude=[0.5, 0.6])
    lines = [line.get_ydata() for line in figure.axes[0].lines]
    assert len(lines) == 6 and all(abs(line).max() < 5 for line in lines)
    assert [text.get_text() for text in figure.texts[2:]] == ["channel 0", "channel 1", "channel 2", "and 1 more"]
    assert_legible(figure)


def test_texts_stand_above_changed_ones(draw, texts):
    figure = draw(texts, token_mask=0.5)
    drawn = [text.get_text() for text in figure.texts]
    assert drawn.count("original") == 6 and drawn.count("epoch 3") == 6
    assert {"0", "1"} <= set(drawn) and "\ufffd is a token that is unknown or masked." in words(figure)
    assert any("\ufffd" in text for text in drawn[drawn.index("epoch 1") :])
    assert_legible(figure)


def test_running_text_is_drawn_in_stretches(draw, dataset, tmp_path):
    (tmp_path / "some.txt").write_text("All the world's a stage,\nand all the men\n" * 40, "utf-8")
    source = {"kind": "text", "path": str(tmp_path / "some.txt")}
    manifest: Manifest = dataset.prepare(source, options={"tokenizer": {"kind": "character"}})
    figure = draw(manifest, token_mask=0.2)
    assert any("stage, ↵ and all" in text.get_text() for text in figure.texts)
    assert_legible(figure)

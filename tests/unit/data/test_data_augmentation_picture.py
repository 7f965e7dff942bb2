import numpy as np
import pytest

from snaketorch.config.specs import AugmentationSpec
from snaketorch.data.augmentation_picture import draw_augmentation
from snaketorch.data.preview import style


@pytest.fixture
def draw(monkeypatch, tmp_path):
    """Draws the picture and gives the figure."""
    drawn = []
    save = style.save
    monkeypatch.setattr(style, "save", lambda figure, path: (drawn.append(figure), save(figure, path)))

    def make(manifest, name="augmentation.png", seed=0, **augment):
        spec = {"experiment": "some", "seed": seed, "data": manifest.dataset, "augment": augment}
        draw_augmentation(AugmentationSpec.model_validate(spec), manifest.path, tmp_path / name, "c0de")
        return drawn[-1]

    return make


def pictures(figure):
    return np.array([axes.images[0].get_array() for axes in figure.axes]).reshape(8, 8, 8, 8, 3)


def test_original_images_stand_beside_what_each_epoch_makes_of_them(draw, prepared_digits):
    shown = pictures(draw(prepared_digits, rotate=30))
    images, labels = (prepared_digits.arrays("train")[field] for field in ("image", "label"))
    for row in range(8):
        first = images[np.flatnonzero(labels == row)[0], 0]
        assert np.allclose(shown[row, 0, ..., 0] * 255, first, atol=1e-4)
        assert len({epoch.tobytes() for epoch in shown[row]}) == 8


def test_what_is_shown_is_no_longer_normalised(draw, prepared_digits):
    shown = pictures(draw(prepared_digits, horizontal_flip=1))
    assert np.allclose(shown[:, 1], shown[:, 0, :, ::-1], atol=1e-3)


def test_mixed_images_say_of_what(draw, prepared_digits):
    figure = draw(prepared_digits, mixup=1.0)
    said = [text.get_text() for axes in figure.axes[1:8] for text in axes.texts]
    assert len(said) == 7 and all(text.startswith("0: ") and " + " in text for text in said)


def test_the_same_spec_gives_the_same_bytes_and_another_seed_others(draw, prepared_digits, tmp_path):
    for name, seed in (("a", 0), ("b", 0), ("c", 1)):
        draw(prepared_digits, name, seed, translate=0.3)
    one, two, other = ((tmp_path / name).read_bytes() for name in "abc")
    assert one == two != other


def test_windows_of_a_series_stand_beside_changed_ones(draw, prepared_sunspots):
    figure = draw(prepared_sunspots, jitter=0.5)
    original, changed = (figure.axes[column].lines[-1].get_ydata() for column in (0, 1))
    assert len(original) == 64 and 0.2 < (changed - original).std() < 0.8

import pytest
import torch
from sklearn.metrics import f1_score
from torch.nn import functional as F

from snaketorch.config.models import Mlp
from snaketorch.config.tasks import ImageClassification
from snaketorch.tasks import build_task

FACTS = {
    "dataset": "scenes",
    "fields": {
        "image": {"dtype": "uint8", "shape": [1, 4, 4], "statistics": {"mean": [0.5], "std": [0.3]}},
        "label": {"dtype": "int64", "shape": [3]},
    },
    "classes": ["red", "round", "ripe"],
    "class_counts": [10, 20, 5],
    "training_samples": 40,
}


def make_task(**options):
    torch.manual_seed(0)
    options = ImageClassification(kind="image_classification", multi_label=True, **options)
    return build_task(options, Mlp(kind="mlp", hidden=[8]), FACTS).eval()


def make_batch(count=12):
    draw = torch.Generator().manual_seed(0)
    image = torch.randint(0, 256, (count, 1, 4, 4), dtype=torch.uint8, generator=draw)
    return {"image": image, "label": torch.randint(0, 2, (count, 3), generator=draw)}


def test_the_loss_is_the_mean_binary_cross_entropy():
    task, batch = make_task(label_smoothing=0.1), make_batch()
    target = batch["label"] * 0.9 + 0.05
    expected = F.binary_cross_entropy_with_logits(task(batch["image"]), target)
    torch.testing.assert_close(task.measure(batch)["loss"], expected)


def test_balanced_labels_weigh_as_much_where_they_apply_as_where_not():
    task, batch = make_task(class_weights="balanced"), make_batch()
    weight = torch.tensor([30 / 10, 20 / 20, 35 / 5])
    expected = F.binary_cross_entropy_with_logits(task(batch["image"]), batch["label"].float(), pos_weight=weight)
    torch.testing.assert_close(task.measure(batch)["loss"], expected)


def test_mixed_samples_have_the_labels_of_both_by_their_shares():
    task, batch = make_task(), make_batch()
    share, other = torch.linspace(0, 1, 12), batch["label"].flip(0)
    target = share[:, None] * batch["label"] + (1 - share[:, None]) * other
    expected = F.binary_cross_entropy_with_logits(task(batch["image"]), target)
    torch.testing.assert_close(task.measure({**batch, "mixed_label": other, "mixed_share": share})["loss"], expected)


def test_f1_of_an_epoch_is_that_of_all_its_samples(monkeypatch):
    task, batch = make_task(), make_batch()
    for rows in (slice(0, 2), slice(2, 12)):
        task.validation_step({name: value[rows] for name, value in batch.items()}, 0)
    logged = {}
    monkeypatch.setattr(task, "log_dict", logged.update)
    task.on_validation_epoch_end()
    said = task(batch["image"]) > 0
    assert set(logged) == {f"val/{name}" for name in task.options.logged}
    assert logged["val/f1_micro"].item() == pytest.approx(f1_score(batch["label"], said, average="micro"))
    assert logged["val/exact_match"].item() == pytest.approx((said == batch["label"]).all(1).float().mean().item())
    torch.testing.assert_close(task.measure(batch)["f1_micro"], logged["val/f1_micro"])

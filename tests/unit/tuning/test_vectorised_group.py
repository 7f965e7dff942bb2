import csv
import io

import pytest
import torch
from prepared_by_hand import write_images, write_rows
from training_specs import spec_of

from snaketorch.data.manifest import Manifest
from snaketorch.training.fit import fit
from snaketorch.training.session import Session
from snaketorch.tuning.vectorised.group import NEVER, Group

CPU = torch.device("cpu")
CLASSES, NUMBERS = {"kind": "image_classification"}, {"kind": "regression"}
MLP = {"kind": "mlp", "hidden": [8]}
TRAINER = {"precision": "32-true", "max_epochs": 3}

CASES = {
    "mlp": (CLASSES, MLP, {}),
    "adamw and a step": (
        CLASSES,
        MLP,
        {"optimizer": {"kind": "adamw"}, "lr_scheduler": {"kind": "step", "step_size": 1}},
    ),
    "batch normalisation": (CLASSES, {"kind": "cnn", "channels": [4], "hidden": 8}, {}),
    "clipping": (CLASSES, MLP, {"trainer": {**TRAINER, "gradient_clip_val": 0.1}}),
    "smoothing and weights": (CLASSES | {"label_smoothing": 0.1, "class_weights": [1.0, 3.0]}, MLP, {}),
    "augmented": (CLASSES, MLP, {"augment": {"horizontal_flip": 0.5, "pad_crop": 1, "mixup": 0.4}}),
    "numbers": (NUMBERS, MLP, {}),
}


def history(spec, dataset, folder) -> list[dict[str, float]]:
    """Of a training by itself."""
    folder.mkdir()
    table = fit(spec, dataset, {}, Session(folder, folder, None)).history
    return [{name: float(value) for name, value in row.items()} for row in csv.DictReader(io.StringIO(table))]


def curves(group: Group) -> list[dict[str, torch.Tensor]]:
    found = []
    while not group.is_done:
        assert group.train_epoch(lambda: False)
        found.append(group.measured())
    return found


def data_of(task, folder) -> Manifest:
    return Manifest.load(write_images(folder / "data", numbers=task is NUMBERS))


@pytest.mark.parametrize(("task", "model", "changes"), CASES.values(), ids=CASES)
def test_a_row_learns_as_a_training_by_itself(task, model, changes, tmp_path):
    dataset = data_of(task, tmp_path)
    rates = [0.01, 0.05]
    specs = [spec_of(task, model, **{"trainer": TRAINER, **changes}) for _ in rates]
    specs = [
        spec.model_copy(update={"optimizer": spec.optimizer.model_copy(update={"lr": rate})})
        for spec, rate in zip(specs, rates, strict=True)
    ]
    found = curves(Group(specs, dataset, CPU, tmp_path / "group"))
    for row, spec in enumerate(specs):
        by_itself = history(spec, dataset, tmp_path / f"alone-{row}")
        assert len(by_itself) == len(found) == 3
        for ours, theirs in zip(found, by_itself, strict=True):
            assert ours.keys() == {name for name in theirs if "/" in name}
            for name, values in ours.items():
                assert float(values[row]) == pytest.approx(theirs[name], rel=1e-3, abs=1e-5)
    assert not torch.equal(found[-1]["val/loss"][:1], found[-1]["val/loss"][1:])


def test_rows_of_a_table_are_learnt_from(tmp_path):
    dataset = Manifest.load(write_rows(tmp_path / "data"))
    spec = spec_of({"kind": "tabular_classification"}, MLP, trainer=TRAINER)
    (*_, last) = curves(Group([spec, spec], dataset, CPU, tmp_path / "group"))
    assert float(last["val/loss"][0]) == pytest.approx(
        history(spec, dataset, tmp_path / "alone")[-1]["val/loss"], rel=1e-3
    )


def with_dropout(*probabilities):
    return [
        spec_of(CLASSES, {**MLP, "dropout": probability}, trainer={**TRAINER, "max_epochs": 2})
        for probability in probabilities
    ]


def test_each_row_has_a_dropout_of_its_own(tmp_path):
    dataset = data_of(CLASSES, tmp_path)
    together = curves(Group(with_dropout(0.0, 0.5), dataset, CPU, tmp_path / "a"))[-1]["train/loss"]
    without = curves(Group(with_dropout(0.0), dataset, CPU, tmp_path / "b"))[-1]["train/loss"]
    much = curves(Group(with_dropout(0.5), dataset, CPU, tmp_path / "c"))[-1]["train/loss"]
    assert together.tolist() == pytest.approx([float(without), float(much)], rel=1e-4)
    assert float(much) > 1.01 * float(without)


def test_a_row_goes_on_as_if_nothing_was_dropped(tmp_path):
    dataset = data_of(CLASSES, tmp_path)
    specs = with_dropout(0.0, 0.2, 0.4)
    whole = curves(Group(specs, dataset, CPU, tmp_path / "a"))[-1]["val/loss"]
    group = Group(specs, dataset, CPU, tmp_path / "b")
    group.train_epoch(lambda: False)
    group.measured()
    group.keep([2, 0])
    assert curves(group)[-1]["val/loss"].tolist() == pytest.approx(whole[[2, 0]].tolist(), rel=1e-5)


def test_a_group_goes_on_bit_for_bit_from_inside_an_epoch(tmp_path):
    dataset = data_of(CLASSES, tmp_path)
    specs = with_dropout(0.0, 0.2, 0.4)
    whole = curves(Group(specs, dataset, CPU, tmp_path / "a"))
    group, looks = Group(specs, dataset, CPU, tmp_path / "b"), iter([False, False, True])
    assert not group.train_epoch(lambda: next(looks))
    again = Group(specs, dataset, CPU, tmp_path / "c")
    again.restore(group.state())
    assert again.steps == 2
    for ours, theirs in zip(curves(again), whole, strict=True):
        assert all(torch.equal(ours[name], theirs[name]) for name in theirs)


def test_the_first_step_that_is_not_finite_is_noted_for_its_row_alone(tmp_path):
    dataset = data_of(NUMBERS, tmp_path)
    specs = [spec_of(NUMBERS, MLP, trainer=TRAINER, optimizer={"kind": "sgd", "lr": lr}) for lr in (0.01, 10.0)]
    group = Group(specs, dataset, CPU, tmp_path / "group")
    found = curves(group)
    assert group.first_bad[0] == NEVER
    assert 1 < group.first_bad[1] <= group.steps
    assert found[-1]["val/loss"][0].isfinite()

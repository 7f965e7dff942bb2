"""One class for each sample, whatever the sample is."""

import torch
from torch import Tensor
from torch.nn import functional as F

from snaketorch.data.loading.samples import ArraySamples, Batch, RaggedSamples, samples_from
from snaketorch.data.manifest import Manifest
from snaketorch.errors import DataError, UserError
from snaketorch.models.shapes import Shape
from snaketorch.tasks.base import TaskModule
from snaketorch.tasks.inputs import inputs_of


class Classification(TaskModule):
    """Cross-entropy over classes.

    A batch holds what ``inputs`` reads. Beside it ``label`` (B,), and where two samples are mixed ``mixed_label``
    (B,), the other one's class, and ``mixed_share`` (B,), what is left of the sample itself.
    """

    def __init__(self, options, model, facts):
        self._check(options, facts)
        super().__init__(options, model, facts)
        self.inputs = inputs_of(facts, getattr(options, "read", None))
        self.register_buffer("class_weights", self._class_weights(), persistent=False)

    def input_shape(self) -> Shape:
        return inputs_of(self.facts, getattr(self.options, "read", None)).shape

    def num_outputs(self) -> int:
        return len(self.facts["classes"])

    def samples(self, manifest: Manifest, split: str) -> ArraySamples | RaggedSamples:
        return samples_from(manifest.arrays(split))

    def forward(self, *fields: Tensor | None) -> Tensor:
        """Logits (B, K) of what a batch holds: the ``fields`` that ``inputs`` reads."""
        return self.network(*self.inputs(*fields))

    def measure(self, batch: Batch) -> dict[str, Tensor]:
        """Loss and accuracy; that of mixed samples counts either class by its share."""
        logits, label = self._logits(batch), batch["label"]
        measured = self._against(logits, label)
        if "mixed_label" in batch:
            share, other = batch["mixed_share"], self._against(logits, batch["mixed_label"])
            measured = {name: share * value + (1 - share) * other[name] for name, value in measured.items()}
        means = {name: value.mean() for name, value in measured.items()}
        if self.class_weights is not None:
            means["loss"] = means["loss"] / means.pop("weight")  # as torch has it: the mean by weight
        return means

    def loss_weight(self, batch: Batch) -> int | Tensor:
        """With class weights their sum over the samples, of which the loss is a mean."""
        if self.class_weights is None:
            return self.count(batch)
        weight = self.class_weights[batch["label"]]
        if "mixed_label" in batch:
            share = batch["mixed_share"]
            weight = share * weight + (1 - share) * self.class_weights[batch["mixed_label"]]
        return weight.sum()

    @property
    def weighs_samples(self) -> bool:
        return self.class_weights is not None

    def predict(self, batch: Batch) -> Batch:
        """``logits`` (B, K) float32 and ``label`` (B,) int64."""
        return {"logits": self._logits(batch).float(), "label": batch["label"]}

    def _logits(self, batch: Batch) -> Tensor:
        return self.network(*self.inputs.of(batch))

    def _against(self, logits: Tensor, label: Tensor) -> dict[str, Tensor]:
        """Of each sample (B,): the loss, what is right, and the weight where classes have some."""
        weights, smoothing, most = self.class_weights, self.options.label_smoothing, self.options.top_k
        measured = {
            "loss": F.cross_entropy(logits, label, weights, label_smoothing=smoothing, reduction="none"),
            "accuracy": (logits.argmax(1) == label).float(),
        }
        if most is not None:
            measured[f"top_{most}_accuracy"] = (logits.topk(most).indices == label[:, None]).any(1).float()
        if weights is not None:
            measured["weight"] = weights[label].float()
        return measured

    def _class_weights(self) -> Tensor | None:
        asked = self.options.class_weights
        if asked is None:
            return None
        return self._balanced(torch.tensor(self.facts["class_counts"])) if asked == "balanced" else torch.tensor(asked)

    def _balanced(self, counts: Tensor) -> Tensor:
        # a class without training samples has no loss that a weight would count for
        return counts.sum() / (len(counts) * counts.clamp(min=1)).float()

    def _check(self, options, facts) -> None:
        name, classes = facts["dataset"], facts["classes"]
        if len(classes) < 2:
            raise DataError(
                f"dataset '{name}' has one class only, {', '.join(map(repr, classes))}: there is nothing to tell it "
                "from; allowed: at least two classes"
            )
        if facts["fields"]["label"]["shape"]:
            raise DataError(
                f"dataset '{name}' has any number of labels for each sample; allowed: task.multi_label: true, or one "
                "class for each sample"
            )
        if options.top_k is not None and options.top_k >= len(classes):
            raise UserError(
                f"task.top_k: {options.top_k} of the {len(classes)} classes of dataset '{name}' always hold the right "
                f"one; allowed: below {len(classes)}"
            )
        check_weights(options, facts)


def check_weights(options, facts) -> None:
    """UserError when ``options.class_weights`` are not as many as the classes."""
    weights, classes = options.class_weights, facts["classes"]
    if isinstance(weights, list) and len(weights) != len(classes):
        raise UserError(
            f"task.class_weights: {len(weights)} weights for the {len(classes)} classes of dataset "
            f"'{facts['dataset']}'; allowed: one for each, in the order of manifest.json, or balanced"
        )

"""For each of several labels of a sample whether it applies."""

import torch
from torch import Tensor
from torch.nn import functional as F

from snaketorch.data.loading.samples import Batch
from snaketorch.errors import DataError
from snaketorch.tasks.base import RunningMeans
from snaketorch.tasks.classification import Classification, check_weights


class MultiLabelClassification(Classification):
    """Binary cross-entropy of each label, their mean; a label is said to apply from a probability of one half.

    A batch is as in ``Classification``, but ``label`` and ``mixed_label`` are (B, K), 0 or 1.
    """

    def __init__(self, options, model, facts):
        super().__init__(options, model, facts)
        # F1 is no mean of the F1 of batches: it follows from these at the end of an epoch
        self.train_means, self.val_means = (RunningMeans(["loss", "exact_match", "hits", "misses"]) for _ in range(2))

    def measure(self, batch: Batch) -> dict[str, Tensor]:
        """Also the means over samples of ``hits``, labels rightly said, and ``misses``, missing or wrongly said."""
        logits, label = self._logits(batch), batch["label"]
        measured = self._of_each(logits, label)
        if "mixed_label" in batch:
            share, other = batch["mixed_share"], self._of_each(logits, batch["mixed_label"])
            measured = {name: share * value + (1 - share) * other[name] for name, value in measured.items()}
        means = {name: value.mean() for name, value in measured.items()}
        return means | {"f1_micro": f1(means["hits"], means["misses"])}

    def loss_weight(self, batch: Batch) -> int | Tensor:
        """Its samples: here weights of classes change the loss of a sample, not what it counts for."""
        return self.count(batch)

    @property
    def weighs_samples(self) -> bool:
        return False

    def predict(self, batch: Batch) -> Batch:
        """``logits`` (B, K) float32 and ``label`` (B, K) int64."""
        return super().predict(batch)

    def _of_each(self, logits: Tensor, label: Tensor) -> dict[str, Tensor]:
        smoothing, said, true = self.options.label_smoothing, logits > 0, label.bool()
        target = label.to(logits.dtype) * (1 - smoothing) + smoothing / 2
        loss = F.binary_cross_entropy_with_logits(logits, target, pos_weight=self.class_weights, reduction="none")
        wrong = said != true
        return {
            "loss": loss.mean(1),
            "exact_match": (~wrong).all(1).float(),
            "hits": (said & true).float().sum(1),
            "misses": wrong.float().sum(1),
        }

    def _log_means(self, split: str, means: RunningMeans) -> None:
        found = means.take()
        values = {name: found[name] for name in ("loss", "exact_match")}
        values["f1_micro"] = f1(found["hits"], found["misses"])
        self.log_dict({f"{split}/{name}": value for name, value in values.items()})

    def _balanced(self, counts: Tensor) -> Tensor:
        applies = counts.clamp(min=1).float()
        return (self.facts["training_samples"] - counts) / applies

    def _check(self, options, facts) -> None:
        if facts["fields"]["label"]["shape"] != [len(facts["classes"])]:
            raise DataError(
                f"dataset '{facts['dataset']}' has one class for each sample; allowed: task.multi_label: false, or "
                "data with a 0 or 1 for each label"
            )
        check_weights(options, facts)


def f1(hits: Tensor, misses: Tensor) -> Tensor:
    """Of labels rightly said, and those missing or wrongly said; 0 where there are none of either."""
    return 2 * hits / (2 * hits + misses).clamp(min=torch.finfo(hits.dtype).tiny)

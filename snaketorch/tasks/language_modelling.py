"""The next token of a running text from those before it."""

import math

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from snaketorch.data.loading.samples import Batch, as_tensor
from snaketorch.data.loading.seeds import stable_seed
from snaketorch.data.loading.token_windows import TokenWindows
from snaketorch.data.manifest import SPLITS, Manifest
from snaketorch.data.token_lengths import characters_of
from snaketorch.data.tokenizers import load_tokenizer
from snaketorch.errors import DataError, UserError
from snaketorch.models.shapes import TokensShape
from snaketorch.publish import write_text
from snaketorch.tasks.base import RunningMeans, TaskModule
from snaketorch.tasks.generation import generate

MOST_LOGITS = 1 << 26
"""At once in a prediction, a quarter of a GiB: a large vocabulary makes a batch for other tasks too large."""
BETWEEN_TEXTS = "\n\n" + 79 * "-" + "\n\n"


class LanguageModelling(TaskModule):
    """Cross-entropy of the next token, in nats.

    A batch holds ``token`` and ``target`` (B, W), and ``scored`` (B,), how many of the last targets count.
    """

    def __init__(self, options, model, facts):
        super().__init__(options, model, facts)
        self.encoding = load_tokenizer(facts["tokenizer"])
        self.register_buffer("characters", torch.from_numpy(characters_of(facts["tokenizer"])), persistent=False)
        self.prompt = torch.tensor(self.encoding.encode(options.sampling.prompt))
        if not len(self.prompt):
            raise UserError(
                f"task.sampling.prompt: {options.sampling.prompt!r} holds no token of dataset '{facts['dataset']}'; "
                "allowed: text with a word or a sign"
            )
        # means over targets, from which perplexity and bits follow at the end of an epoch
        self.train_means, self.val_means = (RunningMeans(["loss", "characters"]) for _ in range(2))

    def input_shape(self) -> TokensShape:
        return TokensShape(self.options.window, self.num_outputs())

    def num_outputs(self) -> int:
        return self.facts["fields"]["token"]["vocabulary_size"]

    def samples(self, manifest: Manifest, split: str) -> TokenWindows:
        """Windows of ``split``; those of validation and test look back on the text before it."""
        window = self.options.window
        tokens = manifest.arrays(split)["token"]
        if split == "train":
            if len(tokens) <= window:
                raise DataError(
                    f"the training split of dataset '{manifest.dataset}' has {len(tokens)} tokens, too few for a "
                    f"task.window of {window}; allowed: at most {len(tokens) - 1}, or more text"
                )
            return TokenWindows.for_training(as_tensor(tokens), window, self.options.stride or window)
        before = [manifest.arrays(earlier)["token"][-window - 1 :] for earlier in SPLITS[: SPLITS.index(split)]]
        context = np.concatenate(before)[-window - 1 :]
        return TokenWindows.for_scoring(as_tensor(np.concatenate([context, tokens])), window, len(context))

    def forward(self, token: Tensor) -> Tensor:
        """Logits (B, T, V) of the token after each of ``token`` (B, T)."""
        return self.network(token)

    def losses(self, batch: Batch) -> Tensor:
        """Cross-entropy (B, W) of each target in nats, whether it counts or not."""
        logits, target = self(batch["token"]), batch["target"]
        return F.cross_entropy(logits.flatten(0, 1), target.flatten(), reduction="none").view(target.shape)

    def measure(self, batch: Batch) -> dict[str, Tensor]:
        """Also ``characters``: how many a target stands for, a mean like the loss."""
        target = batch["target"]
        places = torch.arange(target.shape[1], device=target.device)
        counts = (places >= target.shape[1] - batch["scored"][:, None]).float()
        share = counts / counts.sum()
        loss = (self.losses(batch) * share).sum()
        characters = (self.characters[target] * share).sum()
        return {"characters": characters, **measures(loss, characters)}

    def count(self, batch: Batch) -> Tensor:
        """Its targets that count."""
        return batch["scored"].sum()

    def predict(self, batch: Batch) -> Batch:
        """``loss`` (B, W) float32 of each target, and ``scored`` (B,)."""
        rows = max(1, MOST_LOGITS // (batch["token"].shape[1] * self.num_outputs()))
        parts = [
            self.losses({"token": token, "target": target})
            for token, target in zip(batch["token"].split(rows), batch["target"].split(rows), strict=True)
        ]
        return {"loss": torch.cat(parts).float(), "scored": batch["scored"]}

    def write(self, seed: int) -> list[str]:
        """Texts that go on from the prompt, as ``options.sampling`` says; the same for the same weights and seed."""
        was_training, generator = self.training, torch.Generator().manual_seed(seed)
        self.eval()
        tokens = generate(self.network, self.prompt, self.options.window, self.options.sampling, generator)
        self.train(was_training)
        prompt = self.prompt.tolist()
        return [self.encoding.decode([*prompt, *text]) for text in tokens.tolist()]

    def on_validation_epoch_end(self) -> None:
        super().on_validation_epoch_end()  # with the weights that would be published, an average's too
        if not self.trainer.callback_metrics["val/loss"].isfinite():
            return  # nothing can be drawn, and the training ends, see ``snaketorch.training.non_finite``
        if self.samples_folder is not None or self.peers.in_step:
            epoch = self.current_epoch + 1
            # torch's seed is that of the epoch's last step, a function of the training's seed and the step
            texts = self.write(stable_seed(torch.initial_seed(), "samples", epoch))
            if self.samples_folder is not None:
                write_text(self.samples_folder / f"epoch-{epoch:04d}.txt", BETWEEN_TEXTS.join(texts) + "\n")

    def _log_means(self, split: str, means: RunningMeans) -> None:
        found = means.take()
        values = measures(found["loss"], found["characters"])
        self.log_dict({f"{split}/{name}": value for name, value in values.items()})


def measures(loss: Tensor, characters: Tensor) -> dict[str, Tensor]:
    """Every metric of the task.

    Args:
        loss: Mean cross-entropy of a token in nats.
        characters: Mean number of characters that a token stands for.
    """
    return {"loss": loss, "perplexity": loss.exp(), "bits_per_character": loss / (math.log(2) * characters)}

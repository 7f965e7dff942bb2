"""Predictions of files that a person names."""

from collections.abc import Sequence
from pathlib import Path

import torch

from snaketorch import layout
from snaketorch.errors import UserError
from snaketorch.inference.batch.output import check_is_not_read, check_name, check_place
from snaketorch.inference.batch.run import Done, Options, predict_in_parts
from snaketorch.inference.bundle import bundle_sha256, load_bundle
from snaketorch.inference.reading.data_files import draw_samples, read_files
from snaketorch.provenance import digest


def predict_files(
    bundle: Path,
    *,
    data: Sequence[str] | None,
    count: int | None,
    seed: int,
    out: Path,
    keep: Sequence[str],
    every_step: bool,
    batch_size: int,
    options: Options,
    code: str,
    threads: int,
) -> Done:
    """Publishes what the model in ``bundle`` says of the samples in files, or the samples that it makes.

    Args:
        bundle: The folder.
        data: Files, folders, patterns; None for a model that needs no data.
        count: Samples to make in that case.
        seed: Of the first of these.
        out: File to write; bad rows are listed beside it, in a file with `.bad.jsonl` behind its name.
        keep: Columns of the files to carry along.
        every_step: Of a series, whether to forecast after each step.
        batch_size: Samples at once, at most.
        options: See there.
        code: Digest of the code that does this; other code does not go on with what this has begun.
        threads: CPU threads.

    Raises:
        DataError: The files cannot be read, or too many rows are bad.
        UserError: There is no such bundle, the model has no such parameter, or ``out`` cannot be written.
    """
    check_name(out)
    check_place(out)
    torch.set_num_threads(threads)
    predictor = load_bundle(bundle, batch_size=batch_size)
    known = [parameter.name for parameter in predictor.parameters]
    if unknown := [name for name in options.parameters if name not in known]:
        raise UserError(
            f"--set: the model has no parameter {', '.join(unknown)}; allowed: {', '.join(known) or 'none'}"
        )
    if data is None:
        reading = draw_samples(count or 0, seed, predictor)
    else:
        reading = read_files(data, predictor, keep, every_step=every_step)
    asked = {"model": bundle_sha256(bundle), "columns": list(keep), "parameters": dict(options.parameters)}
    asked |= {"data": list(data or []), "samples": [count, seed], "every step": every_step, "batch_size": batch_size}
    # a place for each question, so that two of them can be under way; where only files or code are others, the same
    state = Path(layout.PREDICT_STATES) / "by-hand" / digest(asked)
    bad = out.with_name(f"{out.name}.bad.jsonl")
    check_is_not_read([out, bad], reading.files)
    done = predict_in_parts(
        predictor, reading, out=out, bad=bad, state=state, depends_on={**asked, "code": code}, options=options
    )
    if not done.bad:
        bad.unlink(missing_ok=True)
    return done

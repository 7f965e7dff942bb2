"""``predict``: what a model says of files, by hand."""

import argparse
import os
from pathlib import Path

from snaketorch.commands.inputs import study_name
from snaketorch.commands.parser import Commands
from snaketorch.config.predict import BATCH_SIZE, MAX_BAD_SHARE


def add(commands: Commands) -> None:
    """Adds the command."""
    step = commands.add("predict", predict, spec=False, computes=True)
    where = "models:/NAME@champion, models:/NAME/3, or the folder of a bundle"
    step.add_argument("--model", required=True, metavar="MODEL", help=where)
    given = step.add_mutually_exclusive_group(required=True)
    given.add_argument("--data", nargs="+", metavar="FILE", help="files, folders and patterns")
    given.add_argument("--count", type=_positive, metavar="N", help="samples to make, of a model that needs no data")
    step.add_argument("--seed", type=_not_negative, default=0, metavar="N", help="of the first of these (default: 0)")
    step.add_argument("--out", type=Path, required=True, help="file to write: .parquet, .jsonl or .csv")
    step.add_argument("--keep", nargs="+", default=[], metavar="COLUMN", help="columns of the files to carry along")
    step.add_argument(
        "--every-step", action="store_true", help="of a series: forecast after each step, not after the last alone"
    )
    step.add_argument(
        "--set", type=_setting, action="append", default=[], metavar="NAME=NUMBER", help="a parameter of the model"
    )
    step.add_argument("--batch-size", type=_positive, default=BATCH_SIZE, metavar="N", help="(default: %(default)s)")
    step.add_argument(
        "--on-bad-row",
        choices=("report", "fail"),
        default="report",
        help="list rows that cannot be predicted in OUT.bad.jsonl, or end (default: %(default)s)",
    )
    step.add_argument(
        "--max-bad-share",
        type=_share,
        default=MAX_BAD_SHARE,
        metavar="SHARE",
        help="of the rows that may be bad; more is an error (default: %(default)s)",
    )
    again = step.add_mutually_exclusive_group()
    again.add_argument("--resume", action="store_true", help="go on where a killed run was (it is always done)")
    again.add_argument("--restart", action="store_true", help="throw away what a killed run has done")


def predict(arguments: argparse.Namespace) -> None:
    """Predict files with a trained model, or go on where a killed run was."""
    from snaketorch.dag.code import code_digest
    from snaketorch.inference.batch.by_hand import predict_files
    from snaketorch.inference.batch.run import Options
    from snaketorch.registry.fetch import fetch_bundle

    model = arguments.model
    is_registered = not Path(model).exists()
    if is_registered and "MLFLOW_TRACKING_URI" not in os.environ:
        study_name()  # which also tells the tracking address
    predict_files(
        fetch_bundle(model) if is_registered else Path(model),
        data=arguments.data,
        count=arguments.count,
        seed=arguments.seed,
        out=arguments.out,
        keep=arguments.keep,
        every_step=arguments.every_step,
        batch_size=arguments.batch_size,
        options=Options(arguments.on_bad_row, arguments.max_bad_share, dict(arguments.set), arguments.restart),
        code=code_digest("snaketorch.inference.batch.by_hand"),
        threads=arguments.threads,
    )


def _setting(text: str) -> tuple[str, float | int]:
    name, _, value = text.partition("=")
    try:
        return name, int(value)
    except ValueError:
        return name, _number(value, f"{text!r} is not NAME=NUMBER")


def _share(text: str) -> float:
    share = _number(text, f"{text!r} is no share; allowed: 0 to 1")
    if not 0 <= share <= 1:
        raise argparse.ArgumentTypeError(f"{text} is no share; allowed: 0 to 1")
    return share


def _number(text: str, otherwise: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(otherwise) from None


def _positive(text: str) -> int:
    return _whole(text, 1)


def _not_negative(text: str) -> int:
    return _whole(text, 0)


def _whole(text: str, least: int) -> int:
    if not text.isdecimal() or int(text) < least:
        raise argparse.ArgumentTypeError(f"{text!r} is not possible; allowed: whole numbers from {least} on")
    return int(text)

"""What the log says of a failure."""

import logging
import traceback

from snaketorch.failures.classify import Failure

log = logging.getLogger("snaketorch")


def show(error: BaseException, failure: Failure) -> None:
    """Tells a failure: a message and what to do about it; for a bug the traceback, and whose it is."""
    if failure.kind == "bug":
        log.error("%s", "".join(traceback.format_exception(error)).rstrip())
        log.error("%s", _whose(failure))
        return
    log.error("Error: %s", failure.message)
    if failure.about.advice:
        log.error("What to do: %s", failure.about.advice)


def _whose(failure: Failure) -> str:
    where = failure.details["where"]
    if failure.details["is_users"]:
        return f"The error is in your own module: {where}. Mend it there and start again."
    place = f", in {where}" if where else ""
    return f"This is a bug of Snaketorch{place}: please report it, with this log."

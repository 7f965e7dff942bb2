"""Who this is."""

import getpass
import os


def user_name() -> str:
    """The user, as the tracking server or else this machine knows them."""
    if name := os.environ.get("MLFLOW_TRACKING_USERNAME"):
        return name
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # a container may know no name for its user
        return str(os.getuid())

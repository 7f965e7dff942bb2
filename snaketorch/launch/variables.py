"""The environment variables that tell the processes of a training of each other, and that are meant for them alone."""

from collections.abc import Mapping

LOCAL_RANK = "SNAKETORCH_LOCAL_RANK"
"""Set by the first process of a machine for those that it starts there."""
RANK_OF_SLURM = "SNAKETORCH_RANK_OF"
"""Set where ``srun`` starts every process; Slurm's own variables say which it is then."""
REPORT = "SNAKETORCH_REPORT_TO"
"""Where a process that was started tells why it ends: its end of a pipe, or HOST:PORT:PASSWORD."""
LISTENER = "SNAKETORCH_LISTENER"
"""Of the first process: the socket that waits for the others already, at a port nobody else has."""
MEETING = ("MASTER_ADDR", "MASTER_PORT", "NODE_RANK")
"""Where processes of several machines find each other, and which machine this is; known to torch too."""


def of_no_rank(environment: Mapping[str, str]) -> dict[str, str]:
    """``environment`` for a process that a rank starts and that trains nothing: it is not to be taken for that rank."""
    of_ranks = {LOCAL_RANK, RANK_OF_SLURM, REPORT, LISTENER, *MEETING}
    return {name: value for name, value in environment.items() if name not in of_ranks}

"""The configuration, resolved once, and the questions that rules ask of it (tested in tests/unit/dag)."""

import sys
from pathlib import Path

from snaketorch import layout
from snaketorch.config.load import load_study
from snaketorch.config.problems import ConfigError
from snaketorch.dag.environment import put_first_on_path, shell_prefix
from snaketorch.dag.stale_locks import release_stale_locks
from snaketorch.dag.workflow import Workflow
from snaketorch.failures.summary import begin_run, failures_of_run, healed_in_run
from snaketorch.state.published import clear_published

try:
    study = Workflow(load_study(Path.cwd(), config))
except ConfigError as error:
    # the message alone, no traceback: it is for the author of the YAML
    sys.exit(str(error))

if workflow.is_main_process:
    release_stale_locks(Path.cwd())
    # in its words Snakemake understands what Slurm says of cancelled jobs
    put_first_on_path(Path(workflow.basedir, "workflow/slurm"))

shell.prefix(shell_prefix(Path(workflow.basedir), study.study.config))


wildcard_constraints:
    dataset="|".join(study.study.datasets),
    experiment="|".join(study.trained),
    seed="[0-9]+",

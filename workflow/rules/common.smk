"""The configuration, resolved once, and the questions that rules ask of it (tested in tests/unit/dag)."""

import os
import sys
from pathlib import Path

from snakemake import persistence

from snaketorch import layout
from snaketorch.config.load import load_study
from snaketorch.dag.environment import put_first_on_path, shell_prefix
from snaketorch.dag.resources import times_attempt
from snaketorch.dag.rerun_record import leave_out
from snaketorch.dag.several_nodes import refusal
from snaketorch.dag.software import check_modules, container_image, environment_modules
from snaketorch.dag.stale_locks import release_stale_locks
from snaketorch.dag.workflow import Workflow
from snaketorch.errors import UserError
from snaketorch.failures.summary import begin_run, failures_of_run, healed_in_run
from snaketorch.state.published import clear_published

of_every_job = workflow.resource_settings.default_resources
try:
    study = Workflow(load_study(Path.cwd(), config), of_every_job)
    software = {str(each) for each in workflow.deployment_settings.deployment_method}
    image = container_image(software, Path(workflow.basedir), os.environ)
    modules = environment_modules(software, os.environ)
except UserError as error:
    # the message alone, no traceback: it is for the author of the YAML
    sys.exit(str(error))

leave_out(persistence, {Path(layout.PLAN).name})

if workflow.is_main_process:
    release_stale_locks(Path.cwd())
    # in its words Snakemake understands what Slurm says of cancelled jobs
    put_first_on_path(Path(workflow.basedir, "workflow/slurm"))
    # what the profiles of other batch systems call
    put_first_on_path(Path(workflow.basedir, "workflow/batch"))

shell.prefix(
    check_modules(modules) + shell_prefix(Path(workflow.basedir), study.study.config)
)


container: image


wildcard_constraints:
    dataset="|".join(study.study.datasets),
    experiment="|".join(study.trained),
    seed="[0-9]+",

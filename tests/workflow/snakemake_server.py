"""Runs Snakemake again and again in forks of one process that has imported it.

Importing Snakemake takes longer than a dry-run of a small study. Reads one request a line, in JSON:
the arguments, the folder and environment to run in, and where stdout and stderr go; answers with the
exit status. A repository given on the command line has its package imported here too, and the modules read
that digests of code stand for, for its own runs only: nobody edits it. Any other Snakefile brings its own.
"""

import gc
import importlib
import json
import os
import signal
import sys
from pathlib import Path

import pydantic  # noqa: F401
import smart_open  # noqa: F401
import yaml  # noqa: F401
from snakemake.cli import get_argument_parser, main

get_argument_parser()  # imports the plugins
for repository in sys.argv[1:]:
    sys.path.insert(0, repository)  # as Snakemake does
    importlib.import_module("snaketorch.dag.workflow")
    importlib.import_module("snaketorch.failures.summary")
    modules = Path(repository, "snaketorch").rglob("*.py")
    names = [".".join(path.relative_to(repository).with_suffix("").parts) for path in modules]
    importlib.import_module("snaketorch.dag.code").closure(names)  # to parse them takes longer than a dry-run
gc.freeze()  # what is imported is shared by all forks
for line in sys.stdin:
    request = json.loads(line)
    child = os.fork()
    if child == 0:
        signal.alarm(request["timeout"])
        os.setsid()  # an alarm ends Snakemake; its jobs are ended as one group
        os.chdir(request["folder"])
        os.environ.clear()
        os.environ.update(request["environment"])
        for number, path in ((1, request["stdout"]), (2, request["stderr"])):
            os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), number)
        sys.argv = ["snakemake", *request["arguments"]]
        main()
    status = os.waitpid(child, 0)[1]
    print(os.waitstatus_to_exitcode(status), flush=True)

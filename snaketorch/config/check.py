"""Checks each file against its model, and its sections against each other."""

from collections.abc import Mapping
from functools import cache
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from snaketorch.config.conflicts import Conflict, dataset_conflicts, experiment_conflicts
from snaketorch.config.datasets import DatasetConfig
from snaketorch.config.experiment import ExperimentConfig
from snaketorch.config.explain import ABSENT, explain
from snaketorch.config.problems import Problem
from snaketorch.config.select import is_abstract
from snaketorch.config.yaml_loader import Document

M = TypeVar("M", bound=BaseModel)

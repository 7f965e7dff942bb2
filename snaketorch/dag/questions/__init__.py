"""What rules ask of a study, area by area; `snaketorch.dag.workflow` answers all of it."""

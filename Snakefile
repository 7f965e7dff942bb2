# Snaketorch: YAML experiments become data, trained models, metrics and a report.
# `snakemake -c4` runs the study; `snakemake -n` shows what would run; README.md explains the rest.

from snakemake.utils import min_version

min_version("9.20")


include: "workflow/rules/common.smk"
include: "workflow/rules/tracking.smk"
include: "workflow/rules/prepare.smk"
include: "workflow/rules/train.smk"
include: "workflow/rules/evaluate.smk"
include: "workflow/rules/report.smk"
include: "workflow/rules/targets.smk"

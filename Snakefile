# Snaketorch: YAML experiments become data, trained models, metrics and a report.
# `snakemake -c4` runs the study, `snakemake -c4 train` a part of it, `snakemake -n` shows what would run.

from snakemake.utils import min_version

min_version("9.20")


include: "workflow/rules/common.smk"
include: "workflow/rules/tracking.smk"
include: "workflow/rules/prepare.smk"
include: "workflow/rules/augment.smk"
include: "workflow/rules/train.smk"
include: "workflow/rules/evaluate.smk"
include: "workflow/rules/report.smk"


rule all:
    default_target: True
    input:
        study.files(*layout.ALL),
        study.augmentations,


rule prepare:
    input:
        study.files(layout.MANIFEST),


rule train:
    input:
        study.files(layout.MODEL),


rule evaluate:
    input:
        study.files(layout.METRICS),


rule summarise:
    input:
        study.files(layout.SUMMARY),


rule report:
    input:
        layout.REPORT,

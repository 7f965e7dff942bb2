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


onstart:
    begin_run(Path.cwd())


onsuccess:
    clear_published(Path(layout.TRAIN_STATES))
    sys.stderr.write(healed_in_run(Path.cwd()))


onerror:
    clear_published(Path(layout.TRAIN_STATES))
    failed_logs = [file for job in workflow.scheduler.failed for file in job.log]
    sys.stderr.write(failures_of_run(Path.cwd(), failed_logs))


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

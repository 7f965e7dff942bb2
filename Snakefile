# Snaketorch: YAML experiments become data, trained models, metrics and a report.
# `snakemake -c4` runs the study, `snakemake -c4 train` a part of it, `snakemake -n` shows what would run.

from snakemake.exceptions import WorkflowError
from snakemake.utils import min_version

min_version("9.20")


include: "workflow/rules/common.smk"
include: "workflow/rules/tracking.smk"
include: "workflow/rules/prepare.smk"
include: "workflow/rules/augment.smk"
include: "workflow/rules/tune.smk"
include: "workflow/rules/plan.smk"
include: "workflow/rules/train.smk"
include: "workflow/rules/evaluate.smk"
include: "workflow/rules/predict.smk"
include: "workflow/rules/monitor.smk"
include: "workflow/rules/register.smk"
include: "workflow/rules/automate.smk"
include: "workflow/rules/report.smk"


onstart:
    if said := refusal(workflow.dag.needrun_jobs(), workflow.local_exec):
        raise WorkflowError(said)
    begin_run(Path.cwd())


onsuccess:
    clear_published(Path(layout.TRAIN_STATES))
    sys.stderr.write(healed_in_run(Path.cwd()))


onerror:
    clear_published(Path(layout.TRAIN_STATES), layout.has_record)
    failed_logs = [file for job in workflow.scheduler.failed for file in job.log]
    sys.stderr.write(failures_of_run(Path.cwd(), failed_logs))


rule all:
    default_target: True
    input:
        study.files(*layout.ALL),
        study.augmentations,
        study.sweeps,
        study.plans,
        study.bundles,
        study.predictions,
        study.monitorings,
        study.registrations,
        study.settlements,


rule prepare:
    input:
        study.files(layout.MANIFEST),


rule tune:
    input:
        study.sweeps,


rule plan:
    input:
        study.files(layout.PLAN),


rule train:
    input:
        study.files(layout.MODEL),


rule evaluate:
    input:
        study.files(layout.METRICS),


rule summarise:
    input:
        study.files(layout.SUMMARY),


rule predict:
    input:
        study.predictions,


rule monitor:
    input:
        study.monitorings,


rule register:
    input:
        study.registrations,


rule retrain:
    input:
        study.registrations,
        study.monitorings,
        study.settlements,


rule report:
    input:
        layout.REPORT,

"""The study page: one file, offline."""


rule report_study:
    input:
        summaries=study.files(layout.SUMMARY),
        figures=study.files(layout.FIGURES),
        previews=study.files(layout.PREVIEW),
        manifests=study.files(layout.MANIFEST),
        augmentations=study.augmentations,
        samples=study.files(layout.SAMPLES),
        sweeps=study.sweeps,
        registrations=study.registrations,
        plans=study.plans,
    output:
        report(layout.REPORT, caption="../report/study.rst", category="Study"),
    log:
        "logs/report_study.log",
    conda:
        "../../envs/report.yaml"
    envmodules:
        *modules,
    resources:
        mem_mb=times_attempt(2048),
        runtime=times_attempt(30),
        attempt=study.attempt,
    params:
        spec=study.report_spec,
        code=study.report_code,
    shell:
        "python -m snaketorch report --spec {params.spec:q} --code {params.code:q}"
        " --results results --out {output:q}"
        " --attempt {resources.attempt} --log {log:q} > {log:q} 2>&1"

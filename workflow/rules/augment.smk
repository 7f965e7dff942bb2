"""What an experiment's `augment` does to its samples, as a picture."""


rule preview_augmentation:
    input:
        manifest=study.manifest_of,
    output:
        report(
            layout.AUGMENTATION,
            caption="../report/augmentation.rst",
            category="Experiments",
            subcategory="{experiment}",
            labels={"seed": "", "figure": "augmentation"},
        ),
    log:
        "logs/preview_augmentation/{experiment}.log",
    conda:
        "../../envs/train.yaml"
    envmodules:
        *modules,
    resources:
        mem_mb=times_attempt(2048),
        runtime=times_attempt(10),
        attempt=study.attempt,
    params:
        spec=study.augmentation_spec,
        code=study.augmentation_code,
    shell:
        "python -m snaketorch preview-augmentation --spec {params.spec:q} --code {params.code:q}"
        " --manifest {input.manifest:q} --figure {output:q}"
        " --attempt {resources.attempt} --log {log:q} > {log:q} 2>&1"

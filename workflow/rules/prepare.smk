"""A dataset file becomes arrays on disk, once, for all experiments that name it."""


rule prepare_dataset:
    output:
        manifest=layout.MANIFEST,
        preview=report(
            layout.PREVIEW,
            caption="../report/preview.rst",
            category="Datasets",
            labels={"dataset": "{dataset}", "figure": "preview"},
        ),
        arrays=directory(layout.ARRAYS),
    log:
        "logs/prepare_dataset/{dataset}.log",
    conda:
        "../../envs/train.yaml"
    envmodules:
        *modules,
    threads: study.prepare.threads
    resources:
        **study.prepare.resources,
        attempt=study.attempt,
    params:
        spec=study.prepare_spec,
        code=study.prepare_code,
        source=study.source_digest,
    shell:
        "python -m snaketorch prepare --spec {params.spec:q} --code {params.code:q}"
        " --source {params.source:q} --threads {threads} --gpus {resources.gpu}"
        " --manifest {output.manifest:q} --preview {output.preview:q} --arrays {output.arrays:q}"
        " --attempt {resources.attempt} --log {log:q} > {log:q} 2>&1"

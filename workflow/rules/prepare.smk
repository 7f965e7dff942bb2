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
    threads: study.cpus
    resources:
        mem_mb=study.memory_mb,
        runtime=study.runtime_minutes,
        gpu=study.gpus,
        nodes=1,
        attempt=study.attempt,
    params:
        spec=study.prepare_spec,
        code=study.prepare_code,
        source=study.source_digest,
    shell:
        "python -m snaketorch prepare --spec {params.spec:q} --code {params.code:q}"
        " --source {params.source:q} --threads {threads}"
        " --manifest {output.manifest:q} --preview {output.preview:q} --arrays {output.arrays:q}"
        " --attempt {resources.attempt} --log {log:q} > {log:q} 2>&1"

"""One training for each seed. Its live state is in state/, so a retry goes on where the last one was."""


rule train_model:
    input:
        unpack(study.train_models),
        manifest=study.manifest_of,
    output:
        model=layout.MODEL,
        history=layout.HISTORY,
        record=layout.RECORD,
        samples=directory(layout.SAMPLES),
    log:
        "logs/train_model/{experiment}/seed-{seed}.log",
    conda:
        "../../envs/train.yaml"
    threads: study.cpus
    resources:
        mem_mb=study.memory_mb,
        runtime=study.runtime_minutes,
        gpu=study.gpus,
        nodes=1,
    params:
        spec=study.train_spec,
        code=study.train_code,
        uses=study.train_uses,
        state=layout.TRAIN_STATE,
    shell:
        "python -m snaketorch train --spec {params.spec:q} --code {params.code:q}"
        " --manifest {input.manifest:q} {params.uses:q} --state {params.state:q} --threads {threads}"
        " --model {output.model:q} --history {output.history:q} --record {output.record:q}"
        " --samples {output.samples:q}"
        " > {log:q} 2>&1"

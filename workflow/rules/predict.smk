"""What leaves the study of an experiment, its model with all that it needs, and what that predicts of whole datasets."""


rule bundle_model:
    input:
        manifest=study.manifest_of,
        models=study.of_seeds(layout.MODEL),
        records=study.of_seeds(layout.RECORD),
        best=study.best_of,
        sweeps=study.sweeps_before,
    output:
        bundle=directory(layout.BUNDLE),
    log:
        "logs/bundle_model/{experiment}.log",
    conda:
        "../../envs/train.yaml"
    envmodules:
        *modules,
    resources:
        mem_mb=times_attempt(4096),
        runtime=times_attempt(30),
        attempt=study.attempt,
    params:
        spec=study.bundle_spec,
        code=study.bundle_code,
    shell:
        "python -m snaketorch bundle --spec {params.spec:q} --code {params.code:q}"
        " --manifest {input.manifest:q} --models {input.models:q} --records {input.records:q}"
        " --bundle {output.bundle:q}"
        " --attempt {resources.attempt} --log {log:q} > {log:q} 2>&1"


rule predict_dataset:
    input:
        bundle=layout.BUNDLE,
        best=study.best_of,
        sweeps=study.sweeps_before,
    output:
        predictions=layout.PREDICTED,
        bad=layout.PREDICTED_BAD,
        record=layout.PREDICTED_RECORD,
    log:
        "logs/predict_dataset/{experiment}/{dataset}.log",
    conda:
        "../../envs/train.yaml"
    envmodules:
        *modules,
    threads: study.predict.threads
    resources:
        **study.predict.resources,
        attempt=study.attempt,
    params:
        spec=study.predict_spec,
        code=study.predict_code,
        source=study.predict_source,
        state=layout.PREDICT_STATE,
    shell:
        "python -m snaketorch predict-dataset --spec {params.spec:q} --code {params.code:q}"
        " --source {params.source:q} --bundle {input.bundle:q} --state {params.state:q}"
        " --threads {threads} --gpus {resources.gpu}"
        " --predictions {output.predictions:q} --bad {output.bad:q} --record {output.record:q}"
        " --attempt {resources.attempt} --log {log:q} > {log:q} 2>&1"

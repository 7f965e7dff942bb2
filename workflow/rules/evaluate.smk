"""The test of each trained model, and the summary of an experiment over its seeds."""


rule evaluate_model:
    input:
        unpack(study.evaluate_models),
        manifest=study.manifest_of,
        model=layout.MODEL,
        history=layout.HISTORY,
        record=layout.RECORD,
        best=study.best_of,
        sweeps=study.sweeps_before,
    output:
        metrics=layout.METRICS,
        predictions=layout.PREDICTIONS,
        figures=report(
            directory(layout.FIGURES),
            patterns=["{figure}.svg"],
            caption="../report/figure.rst",
            category="Experiments",
            subcategory="{experiment}",
            labels={"seed": "{seed}", "figure": "{figure}"},
        ),
    log:
        "logs/evaluate_model/{experiment}/seed-{seed}.log",
    conda:
        "../../envs/train.yaml"
    envmodules:
        *modules,
    threads: study.evaluate.threads
    resources:
        **study.evaluate.resources,
        attempt=study.attempt,
    params:
        spec=study.evaluate_spec,
        code=study.evaluate_code,
        uses=study.evaluate_uses,
    shell:
        "python -m snaketorch evaluate --spec {params.spec:q} --code {params.code:q}"
        " --manifest {input.manifest:q} --model {input.model:q} --record {input.record:q}"
        " --history {input.history:q} {params.uses:q} --threads {threads} --gpus {resources.gpu}"
        " --metrics {output.metrics:q} --predictions {output.predictions:q} --figures {output.figures:q}"
        " --attempt {resources.attempt} --log {log:q} > {log:q} 2>&1"


rule summarise_experiment:
    input:
        metrics=study.of_seeds(layout.METRICS),
        records=study.of_seeds(layout.RECORD),
        best=study.best_of,
    output:
        summary=layout.SUMMARY,
        config=layout.CONFIG,
    log:
        "logs/summarise_experiment/{experiment}.log",
    conda:
        "../../envs/report.yaml"
    envmodules:
        *modules,
    resources:
        mem_mb=times_attempt(1024),
        runtime=times_attempt(10),
        attempt=study.attempt,
    params:
        spec=study.summarise_spec,
        code=study.summarise_code,
    shell:
        "python -m snaketorch summarise --spec {params.spec:q} --code {params.code:q}"
        " --metrics {input.metrics:q} --records {input.records:q} --best {input.best:q}"
        " --summary {output.summary:q} --config {output.config:q}"
        " --attempt {resources.attempt} --log {log:q} > {log:q} 2>&1"

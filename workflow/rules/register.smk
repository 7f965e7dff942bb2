"""The gate into the model registry. What came of it is a result, whatever it is: no gate makes a workflow fail.

A registry that is away is no failure either: the result says so, and `python -m snaketorch sync` does it later.
"""


rule register_model:
    input:
        summary=layout.SUMMARY,
        metrics=study.of_seeds(layout.METRICS),
        predictions=study.of_seeds(layout.PREDICTIONS),
        manifest=study.manifest_of,
        bundle=layout.BUNDLE,
    output:
        registration=layout.REGISTRATION,
    log:
        "logs/register_model/{experiment}.log",
    conda:
        "../../envs/train.yaml"
    envmodules:
        *modules,
    threads: study.evaluate.threads
    resources:
        **study.evaluate.resources,
        attempt=study.attempt,
    params:
        spec=study.register_spec,
        code=study.register_code,
    shell:
        "python -m snaketorch register --spec {params.spec:q} --code {params.code:q}"
        " --summary {input.summary:q} --manifest {input.manifest:q} --bundle {input.bundle:q}"
        " --threads {threads} --gpus {resources.gpu} --registration {output.registration:q}"
        " --attempt {resources.attempt} --log {log:q} > {log:q} 2>&1"

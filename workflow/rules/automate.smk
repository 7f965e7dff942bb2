"""The end of a model's way without hands: trained, through the gate, promoted, watched, and taken back on an alert.

An alert is a result and makes no workflow fail. A registry that is away when a model must be taken back does.
"""


rule settle_model:
    input:
        registration=layout.REGISTRATION,
        alerts=study.alerts_of,
    output:
        settlement=layout.SETTLEMENT,
    log:
        "logs/settle_model/{experiment}.log",
    conda:
        "../../envs/train.yaml"
    envmodules:
        *modules,
    resources:
        mem_mb=times_attempt(2048),
        runtime=times_attempt(15),
        attempt=study.attempt,
    params:
        spec=study.settle_spec,
        code=study.settle_code,
    shell:
        "python -m snaketorch settle --spec {params.spec:q} --code {params.code:q}"
        " --registration {input.registration:q} --alerts {input.alerts:q}"
        " --settlement {output.settlement:q}"
        " --attempt {resources.attempt} --log {log:q} > {log:q} 2>&1"

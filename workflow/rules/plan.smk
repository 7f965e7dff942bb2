"""What a training needs of a machine and which GPU suits it, told before it is submitted; see docs/planning.md."""


rule plan_experiment:
    input:
        manifest=study.manifest_of,
        best=study.best_of,
    output:
        layout.PLAN,
    log:
        "logs/plan_experiment/{experiment}.log",
    conda:
        "../../envs/train.yaml"
    envmodules:
        *modules,
    resources:
        mem_mb=times_attempt(4096),
        runtime=times_attempt(15),
        attempt=study.attempt,
    params:
        spec=study.plan_spec,
        code=study.plan_code,
    shell:
        "python -m snaketorch plan-experiment --spec {params.spec:q} --code {params.code:q}"
        " --manifest {input.manifest:q} --best {input.best:q} --plan {output:q}"
        " --attempt {resources.attempt} --log {log:q} > {log:q} 2>&1"

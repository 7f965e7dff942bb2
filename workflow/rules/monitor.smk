"""New data beside the training data. An alert is a result, whatever it says: it makes no workflow fail."""


rule monitor_dataset:
    input:
        manifest=study.manifest_of,
        bundle=layout.BUNDLE,
        predictions=layout.PREDICTED,
        best=study.best_of,
        sweeps=study.sweeps_before,
    output:
        statistics=layout.MONITOR,
        page=report(
            layout.MONITOR_PAGE,
            caption="../report/monitor.rst",
            category="Monitoring",
            labels={"experiment": "{experiment}", "data": "{dataset}"},
        ),
        alert=layout.ALERT,
    log:
        "logs/monitor_dataset/{experiment}/{dataset}.log",
    conda:
        "../../envs/train.yaml"
    envmodules:
        *modules,
    threads: study.predict.threads
    resources:
        **study.predict.resources,
        attempt=study.attempt,
    params:
        spec=study.monitor_spec,
        code=study.monitor_code,
    shell:
        "python -m snaketorch monitor-dataset --spec {params.spec:q} --code {params.code:q}"
        " --manifest {input.manifest:q} --bundle {input.bundle:q} --predictions {input.predictions:q}"
        " --threads {threads} --gpus {resources.gpu}"
        " --statistics {output.statistics:q} --page {output.page:q} --alert {output.alert:q}"
        " --attempt {resources.attempt} --log {log:q} > {log:q} 2>&1"

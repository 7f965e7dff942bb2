"""A sweep: one job, in which all trials run. Its live state is in state/, so a retry or a longer sweep goes on.

A checkpoint, after which Snakemake looks again at all jobs that name the result among their inputs: where a longer
sweep found nothing better, they have nothing to do.
"""


checkpoint tune_experiment:
    input:
        unpack(study.tune_models),
        manifest=study.manifest_of,
        sweeps=study.sweeps_before,
    output:
        best=layout.BEST,
        trials=layout.TRIALS,
        curves=layout.CURVES,
        sweep=layout.SWEEP,
        figures=report(
            directory(layout.TUNE_FIGURES),
            patterns=["{figure}.svg"],
            caption="../report/sweep.rst",
            category="Experiments",
            subcategory="{experiment}",
            labels={"seed": "", "figure": "sweep: {figure}"},
        ),
    log:
        "logs/tune_experiment/{experiment}.log",
    conda:
        "../../envs/tune.yaml"
    envmodules:
        *modules,
    threads: study.tune.threads
    resources:
        **study.tune.resources,
        # what trials take of the job is no parameter: an edit of it must try nothing anew
        trials_at_once=study.trials("at_once"),
        cpu_per_trial=study.trials("cpu"),
        gpu_per_trial=study.trials("gpu"),
        nodes_of_sweep=study.trials("num_nodes"),
        checkpoint_epochs=study.checkpoint_epochs,
        checkpoint_seconds=study.checkpoint_seconds,
        attempt=study.attempt,
    params:
        spec=study.tune_spec,
        code=study.tune_code,
        uses=study.tune_uses,
        state=layout.TUNE_STATE,
    shell:
        # exec: no shell in between, which a signal to the whole job would end before the trials have saved
        "exec python -m snaketorch tune --spec {params.spec:q} --code {params.code:q}"
        " --manifest {input.manifest:q} {params.uses:q} --state {params.state:q} --threads {threads} --gpus {resources.gpu}"
        " --best {output.best:q} --trials {output.trials:q} --curves {output.curves:q} --sweep {output.sweep:q}"
        " --figures {output.figures:q}"
        " --runtime {resources.runtime} --max-concurrent {resources.trials_at_once}"
        " --cpu-per-trial {resources.cpu_per_trial} --gpu-per-trial {resources.gpu_per_trial}"
        " --num-nodes {resources.nodes_of_sweep}"
        " --checkpoint-epochs {resources.checkpoint_epochs} --checkpoint-seconds {resources.checkpoint_seconds}"
        " --attempt {resources.attempt} --log {log:q} > {log:q} 2>&1"

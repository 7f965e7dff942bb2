"""One training for each seed. Its live state is in state/, so a retry goes on where the last one was."""


rule train_model:
    input:
        unpack(study.train_models),
        manifest=study.manifest_of,
        best=study.best_of,
        sweeps=study.sweeps_before,
        # what is asked of the cluster comes from it, and nothing of the result: see leave_out in common.smk
        plan=study.plan_of,
    output:
        model=layout.MODEL,
        history=layout.HISTORY,
        record=layout.RECORD,
        samples=directory(layout.SAMPLES),
    log:
        "logs/train_model/{experiment}/seed-{seed}.log",
    conda:
        "../../envs/train.yaml"
    envmodules:
        *modules,
    threads: study.train.threads
    resources:
        **study.train.resources,
        # how often state is saved is no parameter: an edit of it must train nothing anew
        checkpoint_epochs=study.checkpoint_epochs,
        checkpoint_seconds=study.checkpoint_seconds,
        attempt=study.attempt,
    params:
        spec=study.train_spec,
        code=study.train_code,
        uses=study.train_uses,
        state=layout.TRAIN_STATE,
    shell:
        # exec: no shell in between, which a signal to the whole job would end before the training has saved
        "exec python -m snaketorch train --spec {params.spec:q} --code {params.code:q}"
        " --manifest {input.manifest:q} {params.uses:q} --best {input.best:q} --state {params.state:q} --threads {threads} --gpus {resources.gpu}"
        " --model {output.model:q} --history {output.history:q} --record {output.record:q}"
        " --samples {output.samples:q}"
        " --runtime {resources.runtime}"
        " --checkpoint-epochs {resources.checkpoint_epochs} --checkpoint-seconds {resources.checkpoint_seconds}"
        " --attempt {resources.attempt} --log {log:q} > {log:q} 2>&1"

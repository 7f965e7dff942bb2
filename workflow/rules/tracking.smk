"""The tracking store is made, and a problem with it told, as early as can be.

Nothing waits for it: as an input of the trainings it would make all of them run again once it is
deleted, `ancient` or not, and jobs take turns at a store that is not there yet.
"""


rule init_tracking:
    output:
        layout.TRACKING,
    log:
        "logs/init_tracking.log",
    priority: 1
    localrule: True
    conda:
        "../../envs/train.yaml"
    envmodules:
        *modules,
    resources:
        mem_mb=1024,
        runtime=10,
        attempt=study.attempt,
    params:
        address=study.tracking_address,
    shell:
        "python -m snaketorch init-tracking --out {output:q}"
        " --attempt {resources.attempt} --log {log:q} > {log:q} 2>&1"

"""The tracking store is made once: parallel jobs on a fresh one would break each other."""


rule init_tracking:
    output:
        layout.TRACKING,
    log:
        "logs/init_tracking.log",
    localrule: True
    conda:
        "../../envs/train.yaml"
    resources:
        mem_mb=1024,
        runtime=10,
    shell:
        "python -m snaketorch init-tracking --out {output:q} > {log:q} 2>&1"

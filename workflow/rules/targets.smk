"""What a person can ask for by name: `snakemake -c4 train`."""


rule all:
    default_target: True
    input:
        study.files(*layout.ALL),


rule prepare:
    input:
        study.files(layout.MANIFEST),


rule train:
    input:
        study.files(layout.MODEL),


rule evaluate:
    input:
        study.files(layout.METRICS),


rule summarise:
    input:
        study.files(layout.SUMMARY),


rule report_page:
    input:
        layout.REPORT,

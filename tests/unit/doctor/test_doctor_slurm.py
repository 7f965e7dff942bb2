from types import SimpleNamespace

import pytest
import yaml
from fake_tools import tools as tools
from snakemake.cli import get_argument_parser
from snakemake.resources import Resources
from snakemake_executor_plugin_slurm.partitions import get_best_partition, read_partition_file

from snaketorch.doctor.profile import PARTITIONS, proposed_profile
from snaketorch.doctor.slurm import Cluster, look_at_slurm, partitions_of

SINFO = """\
cpu*|up|2-00:00:00|40|64|256000|(null)
cpu*|up|2-00:00:00|2|128|1024000|(null)
gpu|up|1-00:00:00|4|32|512000|gpu:a100:4(S:0-1)
gpu|up|1-00:00:00|2|48|768000|gpu:h100:8(S:0-1),shard:80
old|down|infinite|3|16|64000|gpu:2
debug|up|30:00|1|8|16000|(null)
"""


@pytest.fixture
def slurm(tools):
    """Puts a Slurm on the PATH, and finds what there is to say of it."""
    cluster = Cluster()

    def look(sinfo: str = SINFO, version: str = "slurm 23.11.4", account: str = "lab_a\nlab_b\nlab_a", **others: int):
        tools("sinfo", "")
        program = f'#!/bin/sh\nif [ "$1" = --version ]; then echo "{version}"; else /bin/cat <<"END"\n{sinfo}END\nfi\n'
        path = tools.folder / "sinfo"
        path.write_text(program + f"exit {others.get('sinfo_code', 0)}\n")
        tools("sacctmgr", account, others.get("sacctmgr_code", 0))
        tools("sacct", "", others.get("sacct_code", 0))
        return {finding.about: finding for finding in look_at_slurm(cluster)}

    look.cluster = cluster
    return look


def job(**resources):
    """A job as the plugin sees it."""
    return SimpleNamespace(resources=resources, threads=resources.pop("threads", 1), name="train_model")


def test_a_machine_without_slurm_is_no_mistake(tools):
    (finding,) = look_at_slurm(Cluster())
    assert (finding.status, finding.found) == ("OK", "not installed here: nothing to look at")


def test_partitions_have_limits_and_gpus_as_slurm_names_them(slurm):
    found = slurm()
    assert {finding.status for finding in found.values()} == {"OK"}
    assert found["Slurm"].found == "slurm 23.11.4"
    assert found["partitions"].found == (
        "cpu* (42 nodes with up to 128 CPUs, 1000 GiB; 2 d); "
        "gpu (6 nodes with up to 48 CPUs, 750 GiB, 8 GPUs (a100, h100); 1 d); "
        "old (3 nodes with up to 16 CPUs, 62 GiB, 2 GPUs; no time limit, not up); "
        "debug (1 nodes with up to 8 CPUs, 16 GiB; 30 min)"
    )
    assert found["GPUs"].found == "in gpu, old; `resources.gpu_model`: a100, h100"
    assert found["accounts"].found == "lab_a, lab_b"


@pytest.mark.parametrize(
    ("gres", "gpus", "models"),
    [
        ("(null)", 0, []),
        ("gpu:4", 4, []),
        ("gpu:4(IDX:0-3)", 4, []),
        ("craynetwork:4,gpu:tesla_v100-sxm2:2(S:0)", 2, ["tesla_v100-sxm2"]),
        ("gpu:1g.5gb:7,gpu:a100:1", 8, ["1g.5gb", "a100"]),
        ("gpumem:80,mps:200", 0, []),
    ],
)
def test_gpus_are_read_from_every_form_of_gres(gres, gpus, models):
    (partition,) = partitions_of(f"p|up|infinite|1|8+|1000+|{gres}")
    assert (partition.gpus, list(partition.gpu_models)) == (gpus, models)
    assert (partition.cpus, partition.memory_mb, partition.minutes) == (8, 1000, None)


@pytest.mark.parametrize(
    ("limit", "minutes"), [("5:00", 5), ("12:00:00", 720), ("7-00:00:00", 10080), ("infinite", None), ("n/a", None)]
)
def test_time_limits_are_read(limit, minutes):
    (partition,) = partitions_of(f"p|up|{limit}|1|8|1000|(null)")
    assert partition.minutes == minutes


def test_a_slurm_that_is_too_old_fails(slurm):
    assert slurm(version="slurm 19.05.5")["Slurm"].status == "FAIL"


def test_a_controller_that_is_away_is_told(slurm):
    found = slurm(sinfo="", sinfo_code=1)
    assert found["Slurm"].status == "WARN"
    assert found.keys() == {"Slurm"}
    assert proposed_profile(slurm.cluster) is None


def test_no_partition_that_takes_jobs_fails(slurm):
    found = slurm(sinfo="old|down|infinite|3|16|64000|gpu:2\n")
    assert found["partitions"].status == "FAIL"
    assert proposed_profile(slurm.cluster) is None


def test_a_cluster_without_gpus_accounts_or_accounting_is_told(slurm):
    found = slurm(sinfo="cpu*|up|infinite|3|16|64000|(null)\n", sacctmgr_code=1, sacct_code=1)
    assert {about for about, finding in found.items() if finding.status == "WARN"} == {"GPUs", "accounts", "sacct"}
    assert "slurm-status-command: squeue" in found["sacct"].advice


def test_of_one_partition_its_name_is_proposed(slurm):
    slurm(sinfo="main*|up|1-00:00:00|3|16|64000|gpu:a100:2\n", account="lab_a")
    text = proposed_profile(slurm.cluster)
    assert yaml.safe_load(text) == {
        "default-resources": {"slurm_account": "'lab_a'", "slurm_partition": "'main'", "mem_mb": 2048, "runtime": 30}
    }
    assert "slurm_partition: \"'main'\"   # up to 1 d, 2 GPUs a node, `resources.gpu_model`: a100" in text


@pytest.mark.parametrize("name", ["all", "open", "0815", "12-34", "all.q", "no", "main"])
def test_a_name_is_proposed_so_that_snakemake_takes_it_for_one(slurm, name):
    slurm(sinfo=f"{name}*|up|infinite|3|16|64000|(null)\n", account=name)
    resources = yaml.safe_load(proposed_profile(slurm.cluster))["default-resources"]
    for key in ("slurm_account", "slurm_partition"):
        resource = Resources.parse([f"{key}={resources[key]}"], allow_expressions=True)[key]
        of_job = {"input": (), "attempt": 1, "threads": 1, "rulename": "", "async_run": None}
        assert resource.evaluate(None, **of_job).value == name


def test_names_of_digits_are_names_in_the_file_of_partitions(slurm, tmp_path):
    slurm(sinfo="cpu|up|infinite|3|16|64000|(null)\n2080|up|infinite|3|16|64000|gpu:3090:2\n")
    path = tmp_path / "partitions.yaml"
    path.write_text(proposed_profile(slurm.cluster).partition(f"# {PARTITIONS}")[2].partition("\n")[2])
    wanted = job(runtime=60, mem_mb=1024, nodes=1, gpu=1, gpu_model="3090")
    log = SimpleNamespace(debug=print, info=print, warning=print)
    assert get_best_partition(read_partition_file(path), wanted, log) == "2080"


def test_what_is_proposed_fits_the_profile_that_it_is_for(slurm, repo):
    slurm()
    profile, _ = proposed_profile(slurm.cluster).split(f"# {PARTITIONS}")
    proposed, there = yaml.safe_load(profile), yaml.safe_load((repo / "profiles/slurm/config.yaml").read_text("utf-8"))
    assert {key: proposed["default-resources"][key] for key in ("mem_mb", "runtime")} == {
        key: there["default-resources"][key] for key in ("mem_mb", "runtime")
    }
    options = {option for action in get_argument_parser()._actions for option in action.option_strings}
    assert {f"--{key}" for key in proposed} <= options
    assert proposed["slurm-partition-config"] == PARTITIONS
    assert "slurm_account: \"'lab_a'\"   # yours, too: lab_b" in profile


@pytest.mark.parametrize(
    ("resources", "partition"),
    [
        ({"runtime": 600, "mem_mb": 4096, "nodes": 1}, "cpu"),
        ({"runtime": 20, "mem_mb": 1024, "nodes": 1}, "cpu"),  # not debug, which it would fill best
        ({"runtime": 600, "mem_mb": 4096, "nodes": 1, "gpu": 1}, "gpu"),
        ({"runtime": 600, "mem_mb": 4096, "nodes": 1, "gpu": 8, "gpu_model": "h100"}, "gpu"),
        ({"runtime": 600, "mem_mb": 4096, "nodes": 1, "gpu": 1, "gpu_model": "v100"}, None),
        ({"runtime": 2000, "mem_mb": 4096, "nodes": 1, "gpu": 1}, None),
        ({"runtime": 20, "mem_mb": 900000, "nodes": 1}, "cpu"),
    ],
)
def test_the_plugin_sends_each_job_where_it_fits(slurm, tmp_path, resources, partition):
    slurm()
    path = tmp_path / "partitions.yaml"
    path.write_text(proposed_profile(slurm.cluster).partition(f"# {PARTITIONS}")[2].partition("\n")[2])
    log = SimpleNamespace(debug=print, info=print, warning=print)
    assert get_best_partition(read_partition_file(path), job(**resources), log) == partition

"""What the daemons of a small Slurm read: two nodes for all, one that may die, one that others may take."""

import os
import socket
import stat
from collections.abc import Sequence
from pathlib import Path

MARK = "# A throw-away Slurm of Snaketorch's tests"
ACCOUNT = "lab"
SYSTEM = Path("/etc/slurm")

CPUS, MEMORY_MB = 4, 16000
"""Of each node, whatever this machine has: nothing here enforces what a job asked for."""

NODES = {"n1": "Weight=10 Gres=gpu:fake:2", "n2": "Weight=10 Gres=gpu:fake:2", "n3": "Weight=1", "n4": "Weight=10"}
"""Slurm prefers nodes of little weight."""

PARTITIONS = {
    "cpu": "Nodes=n1,n2 PreemptMode=OFF Default=YES",
    "frail": "Nodes=n1,n2,n3 PreemptMode=OFF",  # jobs start on n3, which a test may kill, and move to the others
    "spare": "Nodes=n4 PreemptMode=CANCEL",
    "requeued": "Nodes=n4 PreemptMode=REQUEUE",
    "urgent": "Nodes=n4 PreemptMode=OFF PriorityTier=10",  # takes the node from the two above
}

# What makes a cluster slow on purpose is made quick: a requeued job is held back for `cred_expire`, a dead node is
# noticed after `SlurmdTimeout`, the scheduler waits for more jobs before it looks at one.
SLURM = """\
{mark}
ClusterName=tests
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={controller_port}
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket,cred_expire=20
CredType=cred/munge
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SwitchType=switch/none
MpiDefault=none
ReturnToService=2
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
SlurmdParameters=config_overrides
GresTypes=gpu
AccountingStorageType=accounting_storage/slurmdbd
AccountingStorageHost=localhost
AccountingStoragePort={accounting_port}
AccountingStoragePass={folder}/munge.socket
AccountingStorageTRES=gres/gpu
AccountingStoreFlags=job_comment
AccountingStorageEnforce=associations
JobAcctGatherType=jobacct_gather/linux
JobAcctGatherFrequency=2
SchedulerParameters=batch_sched_delay=0,sched_interval=1,sched_min_interval=0,bf_interval=1,bf_yield_interval=100000
KillWait=10
SlurmdTimeout=30
MessageTimeout=60
SlurmctldTimeout=30
InactiveLimit=0
MinJobAge=3600
CompleteWait=0
PreemptType=preempt/partition_prio
PreemptMode=REQUEUE
StateSaveLocation={folder}/controller
SlurmdSpoolDir={folder}/%n
SlurmdPidFile={folder}/%n.pid
SlurmctldPidFile={folder}/slurmctld.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/%n.log
"""

ACCOUNTING = """\
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket
DbdHost=localhost
DbdPort={accounting_port}
SlurmUser=root
StorageType=accounting_storage/mysql
StorageHost=localhost
StorageUser=slurm
StoragePass=slurm
StorageLoc=slurm
LogFile={folder}/slurmdbd.log
PidFile={folder}/slurmdbd.pid
"""


class Configuration:
    """The files of a cluster that lives in ``folder``, and the links to them in /etc/slurm.

    The links are needed: Snakemake starts a job's steps without SLURM_CONF.
    """

    def __init__(self, folder: Path):
        self.folder = folder
        self.slurm = folder / "slurm.conf"
        self.links = {SYSTEM / name: folder / name for name in ("slurm.conf", "gres.conf", "cgroup.conf")}

    def write(self) -> None:
        controller_port, accounting_port, *node_ports = _free_ports(2 + len(NODES))
        host = socket.gethostname().split(".")[0]
        values = {
            "mark": MARK,
            "folder": self.folder,
            "host": host,
            "controller_port": controller_port,
            "accounting_port": accounting_port,
        }
        address = f"NodeHostname={host} NodeAddr=127.0.0.1 CPUs={CPUS} RealMemory={MEMORY_MB}"
        nodes = [
            f"NodeName={name} {address} Port={port} {more}"
            for (name, more), port in zip(NODES.items(), node_ports, strict=True)
        ]
        partitions = [
            f"PartitionName={name} DefaultTime=10 MaxTime=INFINITE {more}" for name, more in PARTITIONS.items()
        ]
        self.slurm.write_text("\n".join([SLURM.format(**values), *nodes, *partitions, ""]))
        (self.folder / "slurmdbd.conf").write_text(ACCOUNTING.format(**values))
        (self.folder / "slurmdbd.conf").chmod(0o600)
        (self.folder / "gres.conf").write_text("".join(self._devices(name) for name in NODES if "gpu" in NODES[name]))
        # nothing here uses control groups; without this a slurmd ends where their file system is missing
        (self.folder / "cgroup.conf").write_text("CgroupPlugin=cgroup/v1\nCgroupAutomount=no\n")
        for name in ("controller", *NODES):
            (self.folder / name).mkdir()

    def refuse_foreign(self) -> None:
        """Raises:
        RuntimeError: this machine has a Slurm that is not of these tests.
        """
        for file in (SYSTEM / "slurm.conf", Path("/etc/slurm-llnl/slurm.conf"), Path(os.environ.get("SLURM_CONF", ""))):
            if file.is_file() and not file.read_text(errors="replace").startswith(MARK):
                raise RuntimeError(f"{file} is of another Slurm; its cluster and these tests would disturb each other")

    def link(self) -> None:
        """Makes this the configuration of the machine; links that a killed session left are replaced."""
        SYSTEM.mkdir(exist_ok=True)
        for link, file in self.links.items():
            if link.is_symlink() and not link.exists():
                link.unlink()
            try:
                link.symlink_to(file)
            except FileExistsError:
                raise RuntimeError(f"{link} is there: does another session run these tests on this machine?") from None

    def unlink(self) -> None:
        for link, file in self.links.items():
            if link.is_symlink() and link.readlink() == file:
                link.unlink()

    def _devices(self, node: str) -> str:
        """Twins of /dev/null: only for device files does Slurm set CUDA_VISIBLE_DEVICES."""
        for number in range(2):
            os.mknod(self.folder / f"{node}-gpu{number}", stat.S_IFCHR | 0o666, os.makedev(1, 3))
        return f"NodeName={node} Name=gpu Type=fake File={self.folder}/{node}-gpu[0-1]\n"


def _free_ports(count: int) -> Sequence[int]:
    sockets = [socket.socket() for _ in range(count)]
    try:
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]
    finally:
        for each in sockets:
            each.close()

"""Which meter answers for the GPU that a process computes on."""

import logging
from functools import partial

import torch

from snaketorch.hardware.meters.amd import amd_smi, rocm_smi
from snaketorch.hardware.meters.nvidia import nvidia_smi, nvml
from snaketorch.hardware.meters.reading import Meter

log = logging.getLogger(__name__)


def meter_of(device: torch.device) -> Meter | None:
    """The meter of ``device``, by the first tool that tells anything; None for a CPU, and where no tool does.

    Never an error: nothing but the record waits for what a meter says.
    """
    if device.type != "cuda":
        return None
    try:
        meters = _amd(device) if torch.version.hip else _nvidia(device)
        return next((meter for meter in meters if meter is not None and meter() is not None), None)
    except Exception as error:
        log.debug("No meter of %s can be used: %s", device, error)
        return None


def _nvidia(device: torch.device) -> list[Meter | None]:
    uuid = str(torch.cuda.get_device_properties(device).uuid)
    name = uuid if uuid.startswith(("GPU-", "MIG-")) else f"GPU-{uuid}"
    return [nvml(name), partial(nvidia_smi, name)]


def _amd(device: torch.device) -> list[Meter | None]:
    facts = torch.cuda.get_device_properties(device)
    bus = f"{facts.pci_domain_id:04x}:{facts.pci_bus_id:02x}:{facts.pci_device_id:02x}.0"
    return [partial(amd_smi, bus), partial(rocm_smi, bus)]

"""What torch says of the GPUs that it sees, in a process of its own: ``python -m snaketorch.doctor.torch_probe``."""

import json
import sys
from typing import Any

import torch


def main() -> None:
    """Prints what there is as JSON."""
    found: dict[str, Any] = {"torch": torch.__version__, "cuda": torch.version.cuda, "hip": torch.version.hip}
    found["available"] = torch.cuda.is_available()
    found["built_for"] = torch.cuda.get_arch_list() if found["available"] else []
    found["gpus"] = [_gpu(number) for number in range(torch.cuda.device_count())] if found["available"] else []
    json.dump(found, sys.stdout)


def _gpu(number: int) -> dict[str, Any]:
    facts = torch.cuda.get_device_properties(number)
    gpu = {"name": facts.name, "capability": f"{facts.major}.{facts.minor}", "memory": facts.total_memory}
    try:
        gpu["free"] = torch.cuda.mem_get_info(number)[0]
        ones = torch.ones(64, 64, device=f"cuda:{number}")
        product = (ones @ ones).sum().item()
        gpu["error"] = None if product == 64**3 else f"it computes {product} instead of {64**3}"
    except RuntimeError as error:
        gpu["error"] = str(error).strip().splitlines()[0]
    return gpu


if __name__ == "__main__":
    main()

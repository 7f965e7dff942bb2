"""How many CPU threads this process may use, told to all who start some."""

import os
import sys

VARIABLES = (
    "OMP_NUM_THREADS",
    "MKL_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
    "NUMEXPR_NUM_THREADS",
    "RAYON_NUM_THREADS",
    "TORCHINDUCTOR_COMPILE_THREADS",
)
"""Where libraries look when they are loaded: PyTorch, NumPy, pandas, Arrow and the decoding here; tokenizers (Rayon);
the processes that compile for `torch.compile`, of which there would be one for each core of the machine."""


def use_threads(count: int) -> None:
    """From now on, at most ``count`` threads in each library, loaded already or not yet, and in processes started."""
    os.environ |= of_process(count)
    if "torch" in sys.modules:
        sys.modules["torch"].set_num_threads(count)
    if "pyarrow" in sys.modules:
        sys.modules["pyarrow"].set_cpu_count(count)


def of_process(count: int) -> dict[str, str]:
    """What the environment of a process says that may use ``count`` threads."""
    return dict.fromkeys(VARIABLES, str(count))

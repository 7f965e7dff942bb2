"""How many CPU threads this process may use, told to all who start some."""

import os
import sys

VARIABLES = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "RAYON_NUM_THREADS")
"""Where libraries look when they are loaded: PyTorch, NumPy, Arrow and the decoding here; tokenizers (Rayon)."""


def use_threads(count: int) -> None:
    """From now on, at most ``count`` threads in each library, loaded already or not yet."""
    os.environ |= dict.fromkeys(VARIABLES, str(count))
    if "torch" in sys.modules:
        sys.modules["torch"].set_num_threads(count)
    if "pyarrow" in sys.modules:
        sys.modules["pyarrow"].set_cpu_count(count)

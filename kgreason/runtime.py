"""What a process on a CPU should set before it computes: threads, waiting, the allocator, the number format.

Only the command line calls `tune`; a library that changed these things on import would surprise its host.
"""

import ctypes
import os
import platform
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeAlias

from kgreason.errors import ConfigError

if TYPE_CHECKING:
    import torch

Precision: TypeAlias = Literal["auto", "float32", "bfloat16"]

# <malloc.h>: blocks above the first size are mapped one by one and given back when freed; above the second, free
# memory at the end of the heap is given back. Tensors of one batch are as large as those of the next, so the pages
# would be faulted in again at every step.
_M_TRIM_THRESHOLD, _M_TOP_PAD, _M_MMAP_THRESHOLD = -1, -2, -3
_BYTES = {_M_MMAP_THRESHOLD: 1 << 30, _M_TRIM_THRESHOLD: (1 << 31) - 1, _M_TOP_PAD: 64 << 20}

# A layer's kernels for one batch; by default oneDNN keeps 1,024, most of them for shapes that never come back.
_KERNELS = "64"


def tune(threads: int = 0) -> None:
    """Prepare this process for many tensor operations on a CPU. Call it before torch is loaded.

    Waiting OpenMP threads sleep instead of spinning (on a busy machine spinning costs 4 to 8 times the work); freed
    memory is kept (layers that make large temporaries run 1.5 to 4 times as fast; the process stays larger); and oneDNN
    keeps few kernels, since hardly two batches have the same shapes (0.2 to 0.3 GB less, at the same speed).

    Args:
        threads: How many threads torch may use; 0 leaves it to torch.

    Raises:
        ConfigError: If `threads` is negative.
    """
    if threads < 0:
        raise ConfigError(f"threads must not be negative, got {threads}; 0 leaves the choice to torch.")
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    os.environ.setdefault("ONEDNN_PRIMITIVE_CACHE_CAPACITY", _KERNELS)
    keep_freed_memory()
    if threads:
        os.environ["OMP_NUM_THREADS"] = str(threads)
        if "torch" in sys.modules:
            import torch

            torch.set_num_threads(threads)


def keep_freed_memory() -> bool:
    """Tell glibc to keep freed memory for the next batch; return False where there is no glibc (nothing is done)."""
    if platform.libc_ver()[0] != "glibc":
        return False
    mallopt = ctypes.CDLL(None).mallopt
    return bool(sum(mallopt(option, size) for option, size in _BYTES.items()) == len(_BYTES))


def has_bfloat16(device: str = "cpu") -> bool:
    """Tell whether `device` multiplies bfloat16 matrices in hardware."""
    if device.startswith("cuda"):
        import torch

        return torch.cuda.is_available() and torch.cuda.is_bf16_supported()
    return device == "cpu" and bool(_cpu_flags() & {"avx512_bf16", "amx_bf16", "bf16"})


def autocast_type(precision: str, device: str = "cpu") -> "torch.dtype | None":
    """Return the type in which matrices are multiplied, or None for float32. Weights stay float32 either way.

    Args:
        precision: `auto`, `float32` or `bfloat16`; `auto` takes bfloat16 where the hardware has it.
        device: A torch device.

    Raises:
        ConfigError: If the precision is not one of the three.
    """
    import torch

    if precision not in ("auto", "float32", "bfloat16"):
        raise ConfigError(f"precision = '{precision}' is not known. Known: auto, float32, bfloat16.")
    wanted = precision == "bfloat16" or (precision == "auto" and has_bfloat16(device))
    return torch.bfloat16 if wanted else None


def _cpu_flags() -> set[str]:
    try:
        lines = Path("/proc/cpuinfo").read_text("utf-8", "replace").splitlines()
    except OSError:  # not Linux
        return set()
    return {flag for line in lines if line.startswith(("flags", "Features")) for flag in line.split()}

"""The machine that a run is made on: processor, memory, graphics cards."""

import os
import platform
from pathlib import Path
from typing import Any

_CPUINFO = Path("/proc/cpuinfo")


def hardware() -> dict[str, Any]:
    """Return what can change a number or its cost.

    Returns:
        `processor` (its model), `instructions` (those for vectors that it has), `cores` (that this process may use),
        `cores_of_machine`, `memory_gb` (GiB), `system`, `cards` (name and memory of each CUDA device).
    """
    told = _cpuinfo()
    flags = set(told.get("flags", told.get("Features", "")).split())
    wanted = ("sse4_2", "avx", "avx2", "fma", "avx512f", "avx512_bf16", "amx_bf16", "asimd", "bf16")
    return {
        "processor": told.get("model name") or platform.processor() or platform.machine(),
        "instructions": [name for name in wanted if name in flags],
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1,
        "cores_of_machine": os.cpu_count() or 1,
        "memory_gb": _memory(),
        "system": platform.platform(),
        "cards": _cards(),
    }


def computing(device: str) -> dict[str, Any]:
    """Return how torch computes, as far as the last bits of a number depend on it."""
    import torch

    return {
        "device": device,
        "threads": torch.get_num_threads(),
        "capability": str(torch.backends.cpu.get_cpu_capability()),
        "deterministic": torch.are_deterministic_algorithms_enabled(),
    }


def _cpuinfo() -> dict[str, str]:
    """Return what Linux says of the first processor; nothing elsewhere."""
    try:
        text = _CPUINFO.read_text("utf-8", errors="replace")
    except OSError:
        return {}
    pairs = (line.partition(":") for line in text.split("\n\n")[0].splitlines())
    return {key.strip(): value.strip() for key, _, value in pairs}


def _memory() -> float | None:
    try:
        return round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1)
    except (AttributeError, ValueError, OSError):  # not told on this system
        return None


def _cards() -> list[dict[str, Any]]:
    import torch

    if not torch.cuda.is_available():
        return []
    found = [torch.cuda.get_device_properties(i) for i in range(torch.cuda.device_count())]
    return [{"name": card.name, "memory_gb": round(card.total_memory / 2**30, 1)} for card in found]

"""What a run costs: time by the clock, time of the processor, memory at its peak, energy."""

import resource
import sys
import time
from pathlib import Path
from typing import Any, final

from torch import nn

from kgreason.experiment.energy import EnergyMeter

#: Writing "5" here makes Linux forget the peak so far (man 5 proc).
_FORGET, _STATUS = Path("/proc/self/clear_refs"), Path("/proc/self/status")
_UNIT = 2**20 if sys.platform == "darwin" else 2**10


@final
class Meter:
    """Measures from the moment it is made. Processes that others started are not counted.

    Args:
        device: Where the reasoner computes; for its energy.
    """

    def __init__(self, device: str = "cpu") -> None:
        self._energy = EnergyMeter(device)
        self._clock, self._processor = time.monotonic(), time.process_time()
        try:
            _FORGET.write_text("5")
        except OSError:  # not Linux, or not allowed: the peak is that of the whole process so far
            return

    def read(self) -> dict[str, Any]:
        """Return `seconds`, `cpu_seconds`, `peak_memory_mb` (resident, in MiB) and `energy` since it was made."""
        seconds, processor = time.monotonic() - self._clock, time.process_time() - self._processor
        peak = _peak()
        return {
            "seconds": round(seconds, 1),
            "cpu_seconds": round(processor, 1),
            "peak_memory_mb": round(peak, 1),
            "energy": self._energy.read(seconds, processor, peak).as_table(),
        }


def count_trainable(module: nn.Module) -> int:
    """Return how many numbers training may change."""
    return sum(p.numel() for p in module.parameters() if p.requires_grad)


def _peak() -> float:
    try:
        line = next(line for line in _STATUS.read_text().splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) / 2**10
    except (OSError, StopIteration):
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / _UNIT

"""What a run costs: time by the clock, time of the processor, memory at its peak."""

import resource
import sys
import time
from pathlib import Path
from typing import final

#: Writing "5" here makes Linux forget the peak so far (man 5 proc).
_FORGET, _STATUS = Path("/proc/self/clear_refs"), Path("/proc/self/status")
_UNIT = 2**20 if sys.platform == "darwin" else 2**10


@final
class Meter:
    """Measures from the moment it is made. Processes that others started are not counted."""

    def __init__(self) -> None:
        self._clock, self._processor = time.monotonic(), time.process_time()
        try:
            _FORGET.write_text("5")
        except OSError:  # not Linux, or not allowed: the peak is that of the whole process so far
            return

    def read(self) -> dict[str, float]:
        """Return `seconds`, `cpu_seconds` and `peak_memory_mb` (resident, in MiB) since it was made."""
        return {
            "seconds": round(time.monotonic() - self._clock, 1),
            "cpu_seconds": round(time.process_time() - self._processor, 1),
            "peak_memory_mb": round(_peak(), 1),
        }


def _peak() -> float:
    try:
        line = next(line for line in _STATUS.read_text().splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) / 2**10
    except (OSError, StopIteration):
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / _UNIT

"""How much electricity a run took: measured where the machine has counters, else estimated, and always said how."""

import contextlib
import ctypes
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, final

#: The energy counters of Linux for Intel and AMD processors, in microjoules (the kernel's "power capping" pages).
RAPL = Path("/sys/class/powercap")
#: Watts of one busy core, and of one gigabyte of memory, where nothing can be measured: what Lannelongue, Grealey and
#: Inouye (2021, Green Algorithms, doi:10.1002/advs.202100707) take for a processor that they have no figure of.
CORE_WATTS, MEMORY_WATTS = 12.0, 0.3725


@final
@dataclass(frozen=True, slots=True)
class Energy:
    """What was used, and how that is known.

    Args:
        watt_hours: Of all that was counted.
        how: `measured` or `estimated`.
        parts: Watt hours by what was counted: `processor`, `memory`, `cuda:0`.
        note: What was assumed and what is left out, in words.
    """

    watt_hours: float
    how: str
    parts: Mapping[str, float]
    note: str

    def as_table(self) -> dict[str, Any]:
        """Return it as plain JSON."""
        return asdict(self)


@final
class EnergyMeter:
    r"""Reads counters when it is made and when it is read.

    Where the processor's counters can be read, $E = \sum_p (c_p' - c_p)$ over its packages $p$: the whole machine,
    other processes included. Where not, $E = t_{cpu} \cdot 12 W + t \cdot m \cdot 0.3725 W$, with the seconds of the
    processor $t_{cpu}$, the seconds by the clock $t$, and the peak of memory $m$ in gigabytes. A CUDA device is
    counted by the driver's own counter, or not at all, which the note then says.

    Args:
        device: Where the reasoner computes.
        rapl: The folder of the processor's counters.
    """

    def __init__(self, device: str = "cpu", rapl: Path = RAPL) -> None:
        self._rapl, self._device = rapl, device
        self._before, self._card = _counters(rapl), _card_joules(device)

    def read(self, seconds: float, cpu_seconds: float, memory_mb: float) -> Energy:
        """Return the energy since the meter was made.

        Args:
            seconds: By the clock.
            cpu_seconds: Of the processor, all cores together.
            memory_mb: At its peak, in MiB.
        """
        parts, notes = {}, []
        after = _counters(self._rapl)
        joules = [_turned(before, after[name]) for name, before in self._before.items() if name in after]
        measured = bool(joules)
        if measured:
            parts["processor"] = sum(joules) / 3600
            notes.append("Processor: its own counters (RAPL), so all that ran on the machine at the time is in it.")
        else:
            parts["processor"] = cpu_seconds * CORE_WATTS / 3600
            parts["memory"] = seconds * memory_mb * 2**20 / 1e9 * MEMORY_WATTS / 3600
            notes.append(
                f"Processor: no counters could be read, so {CORE_WATTS:g} W for each second of a core and "
                f"{MEMORY_WATTS:g} W for each gigabyte of memory at its peak, as Green Algorithms (2021) assumes for "
                "an unknown processor; the order of magnitude, no more."
            )
        if self._device.startswith("cuda"):
            now = _card_joules(self._device)
            if now is None or self._card is None:
                measured = False
                notes.append(f"{self._device}: the driver has no counter that can be read; it is left out.")
            else:
                parts[self._device] = (now - self._card) / 3600
                notes.append(f"{self._device}: the driver's counter (NVML), all that ran on it at the time.")
        notes.append("Power supply, cooling, disks and network are left out.")
        rounded = {name: round(value, 4) for name, value in parts.items()}
        return Energy(round(sum(parts.values()), 4), "measured" if measured else "estimated", rounded, " ".join(notes))


def _turned(before: tuple[int, int], after: tuple[int, int]) -> float:
    """Return the joules between two readings `(microjoules, highest)`; a counter begins at 0 after its highest."""
    gone = after[0] - before[0]
    return (gone if gone >= 0 else gone + before[1] + 1) / 1e6


def _counters(folder: Path) -> dict[str, tuple[int, int]]:
    """Return the counter and its highest value of each package (`intel-rapl:0`, but not its parts `intel-rapl:0:1`)."""
    found = {}
    with contextlib.suppress(OSError):
        for zone in sorted(folder.glob("*-rapl:*")):
            if zone.name.count(":") == 1:
                with contextlib.suppress(OSError, ValueError):  # often for the administrator's eyes alone
                    pair = [int((zone / name).read_text()) for name in ("energy_uj", "max_energy_range_uj")]
                    found[zone.name] = (pair[0], pair[1])
    return found


def _card_joules(device: str) -> float | None:
    """Return the joules that an NVIDIA card has used since its driver was loaded, if the driver tells."""
    if not device.startswith("cuda"):
        return None
    import torch

    try:
        name = f"GPU-{torch.cuda.get_device_properties(torch.device(device)).uuid}".encode()
        driver = ctypes.CDLL("libnvidia-ml.so.1")
        handle, millijoules = ctypes.c_void_p(), ctypes.c_ulonglong()
        done = (
            driver.nvmlInit_v2() == 0
            and driver.nvmlDeviceGetHandleByUUID(name, ctypes.byref(handle)) == 0
            and driver.nvmlDeviceGetTotalEnergyConsumption(handle, ctypes.byref(millijoules)) == 0
        )
    except (OSError, AttributeError, RuntimeError, AssertionError):
        return None
    return millijoules.value / 1000 if done else None

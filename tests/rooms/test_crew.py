"""Workers of this machine: how many, and which GPU each is given. No GPU is needed to see that."""

import sys
import time
from pathlib import Path

import pytest

from kgreason.cli.ablate import _crew
from kgreason.experiment.crew import LocalCrew, local_gpus, local_jobs
from kgreason.experiment.worker import Manner, Task


def seen(crew: LocalCrew, worker: int) -> str:
    """Return what a worker's process sees of the GPUs, once it is one: a moment long it is still a copy of this one."""
    about = Path(f"/proc/{crew._workers[worker].process.pid}")
    for _ in range(1000):
        if b"kgreason.experiment.worker" in (about / "cmdline").read_bytes():
            break
        time.sleep(0.01)
    told = (about / "environ").read_bytes().split(b"\0")
    return next((e.decode().partition("=")[2] for e in told if e.startswith(b"CUDA_VISIBLE_DEVICES=")), "all")


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
def test_workers_take_the_gpus_in_turn_and_keep_theirs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    task = Task("row", 0, {})
    crew = LocalCrew(3, Manner(str(tmp_path), "cuda"), gpus=["4", "7"])
    try:
        for worker in (0, 1, 2):
            crew.start(worker, task, again=False)
        assert [seen(crew, worker) for worker in (0, 1, 2)] == ["4", "7", "4"]
        assert crew.idle() == []
        crew._workers[1].process.kill()  # a run that took too much: the next gets a new process on the same GPU
        crew._workers[1].process.wait()
        crew.start(1, task, again=False)
        assert seen(crew, 1) == "7"
    finally:
        crew.stop()
    crew = LocalCrew(1, Manner(str(tmp_path), "cuda:1"))
    try:
        crew.start(0, task, again=False)
        assert seen(crew, 0) == "all"  # the device is named, and cuda:1 would not exist where one alone is seen
    finally:
        crew.stop()


def test_there_is_a_worker_for_each_gpu_that_this_process_may_use(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "2, 5")
    assert local_gpus() == ["2", "5"]
    crew = _crew("", 9, Manner("runs", "cuda"), (0, 0, 0.0))
    assert isinstance(crew, LocalCrew)
    assert (crew.jobs, crew._gpus) == (2, ["2", "5"])
    assert _crew("", 1, Manner("runs", "cuda"), (0, 0, 0.0)).idle() == [0]  # one run needs one
    assert _crew("", 9, Manner("runs", "cuda"), (4, 0, 0.0)).idle() == [0, 1, 2, 3]  # two on each, if asked for
    crew = _crew("", 9, Manner("runs", "cuda:1"), (3, 0, 0.0))
    assert isinstance(crew, LocalCrew)
    assert list(crew._gpus) == []


def test_as_many_runs_at_a_time_as_cores_and_memory_allow() -> None:
    assert local_jobs(1, 1) == 1
    assert local_jobs(100, 10**6) == 1
    assert local_jobs(100, 1, memory=2**60) == 1
    assert local_jobs(3, 1, gpus=8) == 3

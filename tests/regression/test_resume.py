"""A run that is killed and started again ends with the same bits as one that was never killed."""

import json
import os
import random
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from safetensors import safe_open

from kgreason.train import WEIGHTS
from kgreason.train.resume import LAST

SCRIPT = Path(__file__).with_name("toy_run.py")
STEPS = 27


def start(folder: Path, *arguments: str) -> subprocess.Popen[str]:
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    command = [sys.executable, str(SCRIPT), str(folder), *arguments]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment)


def finish(folder: Path, *arguments: str) -> list[dict[str, float]]:
    run = start(folder, *arguments)
    out, err = run.communicate(timeout=120)
    assert run.returncode == 0, err
    return [json.loads(line) for line in out.splitlines()]


def kill_at(folder: Path, step: int, how: signal.Signals, *arguments: str) -> int:
    """Start a run, stop it right after it reports a step, and return its exit code."""
    run = start(folder, "--pause", "0.02", *arguments)
    assert run.stdout is not None
    for line in run.stdout:
        told = json.loads(line)
        if told["kind"] == "step" and told["step"] == step:
            run.send_signal(how)
            break
    run.communicate(timeout=120)
    assert run.returncode != 0
    return run.returncode


def weights(folder: Path) -> dict[str, bytes]:
    with safe_open(folder / WEIGHTS, framework="pt") as file:
        return {name: file.get_tensor(name).numpy().tobytes() for name in file.keys()}  # noqa: SIM118


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("whole")
    assert [e["step"] for e in finish(folder) if e["kind"] == "step"] == list(range(1, STEPS + 1))
    return folder


@pytest.mark.slow
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_a_run_killed_anywhere_ends_with_the_same_bits(whole: Path, tmp_path: Path, how: signal.Signals) -> None:
    step = random.randrange(2, STEPS)  # another one each time; a step is told before it is saved, so 1 may be lost
    kill_at(tmp_path, step, how)
    first = next(e["step"] for e in finish(tmp_path) if e["kind"] == "step")
    assert first > 1, f"killed at step {step}, it began anew"
    assert weights(tmp_path) == weights(whole), f"killed at step {step}"
    assert (tmp_path / "log.jsonl").read_text().count("\n") == 3
    assert sorted(path.name for path in tmp_path.iterdir()) == [LAST, "log.jsonl", WEIGHTS]


@pytest.mark.slow
def test_a_run_killed_twice_and_within_an_epoch_that_no_checkpoint_saw(whole: Path, tmp_path: Path) -> None:
    kill_at(tmp_path, 12, signal.SIGKILL, "--save-every", "9999")
    resumed = kill_at(tmp_path, 20, signal.SIGKILL, "--save-every", "9999")
    assert resumed == -signal.SIGKILL
    steps = [e["step"] for e in finish(tmp_path) if e["kind"] == "step"]
    assert steps[0] == 19  # the second epoch's checkpoint
    assert weights(tmp_path) == weights(whole)


@pytest.mark.slow
def test_a_finished_run_is_not_run_again(whole: Path) -> None:
    before = weights(whole)
    assert [e["kind"] for e in finish(whole)] == ["start", "end"]
    assert weights(whole) == before

"""Several processes compute the step of one process with all their batches."""

import json
import os
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from kgreason.train import WEIGHTS

pytest.importorskip("accelerate", reason="needs: pip install 'kgreason[train]'")
SCRIPT = str(Path(__file__).with_name("toy_run.py"))
TORCHRUN = ("-m", "torch.distributed.run", "--nproc_per_node", "2", "--master_port")
#: On a machine without a GPU this is how Accelerate starts two processes (over gloo); `--cpu` would start one.
ACCELERATE = ("-m", "accelerate.commands.launch", "--multi_gpu", "--num_processes", "2", "--num_machines", "1")
ACCELERATE += ("--mixed_precision", "no", "--dynamo_backend", "no", "--main_process_port")


def run(folder: Path, *arguments: str, launcher: tuple[str, ...] = (), succeeds: bool = True) -> list[dict[str, Any]]:
    """Run the script and return what it told."""
    with socket.socket() as free:
        free.bind(("localhost", 0))
        port = str(free.getsockname()[1])
    start = [*launcher, port] if launcher else []
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    command = [sys.executable, *start, SCRIPT, str(folder), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=240, env=environment)
    assert (done.returncode == 0) == succeeds, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def log(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "log.jsonl").read_text().splitlines()]


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[dict[str, Any]]]:
    folder = tmp_path_factory.mktemp("alone")
    return folder, run(folder, "--batch", "14", "--dropout", "0", "--epochs", "2")


@pytest.mark.slow
@pytest.mark.parametrize("launcher", [TORCHRUN, ACCELERATE], ids=["torchrun", "accelerate"])
def test_two_processes_train_like_one_with_twice_the_batch(
    tmp_path: Path, alone: tuple[Path, list[dict[str, Any]]], launcher: tuple[str, ...]
) -> None:
    folder, one = alone
    # 90 examples in batches of 7: 13 batches, so that one process has none in the last step
    two = run(tmp_path, "--batch", "7", "--dropout", "0", "--epochs", "2", launcher=launcher)
    losses = [[event["loss"] for event in events if event["kind"] == "step"] for events in (two, one)]
    assert len(losses[0]) == 14
    torch.testing.assert_close(torch.tensor(losses[0]), torch.tensor(losses[1]), rtol=1e-4, atol=1e-5)
    got, want = load_file(tmp_path / WEIGHTS), load_file(folder / WEIGHTS)
    for name, tensor in want.items():
        # Adam divides by the size of a gradient, so where that is almost 0 the order of a sum can be seen
        torch.testing.assert_close(got[name], tensor, rtol=0, atol=5e-3)
    for mine, theirs in zip(log(tmp_path), log(folder), strict=True):
        # the same 90 dev examples, none of them padded or counted twice
        assert mine["metrics"] == pytest.approx(theirs["metrics"], rel=1e-4)


@pytest.mark.slow
def test_two_processes_go_on_with_the_same_bits(tmp_path: Path) -> None:
    run(tmp_path / "whole", "--batch", "9", "--epochs", "2", launcher=TORCHRUN)
    run(tmp_path / "halved", "--batch", "9", "--epochs", "2", "--fail", "4", launcher=TORCHRUN, succeeds=False)
    told = run(tmp_path / "halved", "--batch", "9", "--epochs", "2", launcher=TORCHRUN)
    assert next(event["step"] for event in told if event["kind"] == "step") == 4
    got, want = load_file(tmp_path / "halved" / WEIGHTS), load_file(tmp_path / "whole" / WEIGHTS)
    assert all(torch.equal(got[name], tensor) for name, tensor in want.items())

"""Ablations that are killed, starved and shared end with the table of one that was left alone."""

import json
import os
import random
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from safetensors.torch import load_file

SCRIPT = Path(__file__).with_name("shared_runs.py")
ABLATION = """
title = "Toy"
base  = "toy.toml"
seeds = [0, 1]
[variants]
none    = { "ground.name" = "nothing" }
cycles  = { "decode.cycles" = 1 }
[tests]
wrong   = { "ground" = { name = "perturb", around = "align" } }
"""


#: In how many rounds two processes are killed: KGREASON_KILLS=50 is the long test of docs/ablations.md.
KILLS = int(os.environ.get("KGREASON_KILLS", "8"))


@pytest.fixture
def file(world: Path) -> Path:
    """Three rows that are trained, with epochs that take long enough to be killed in; one that is tested."""
    slow = (
        (world / "toy_encoder.py")
        .read_text()
        .replace("tokens = self", "__import__('time').sleep(0.01)\n        tokens = self")
    )
    (world / "toy_encoder.py").write_text(slow)
    (world / "toy.ablation.toml").write_text(ABLATION)
    return world / "toy.ablation.toml"


def environment(world: Path, cache: str = "cache") -> dict[str, str]:
    return os.environ | {
        "OMP_NUM_THREADS": "1",
        "PYTHONPATH": f"{os.environ.get('PYTHONPATH', '')}:{world}",
        "KGREASON_CACHE": str(world / cache),
    }


def shared(file: Path, out: str, kills: int, seed: int, *more: str) -> str:
    command = [sys.executable, str(SCRIPT), str(file), str(file.parent / out), str(kills), str(seed), *more]
    run = subprocess.run(
        command,
        capture_output=True,
        text=True,
        env=environment(file.parent, f"cache-{out}"),
        timeout=500 + 10 * kills,
        check=False,
    )
    assert run.returncode == 0, f"seed {seed}: {run.stdout[-3000:]}\n{run.stderr[-3000:]}"
    return run.stdout


def contents(out: Path) -> dict[str, object]:
    """Return what every run and the table came to; times and places are left out."""
    found: dict[str, object] = {"table": (out / "toy.ablation.md").read_text()}
    for folder in sorted(p.parent for p in out.rglob("metrics.json")):
        name = re.sub(r"-[0-9a-f]{6}(?=/|$)", "", str(folder.relative_to(out)))  # without the version of the code
        told = json.loads((folder / "metrics.json").read_text())
        found[name] = (told["test"], told.get("dev"), (folder / "predictions.jsonl").read_bytes())
        weights = folder / "model.safetensors"
        tensors = load_file(weights) if weights.exists() else {}  # the file's header has no fixed order
        found[f"{name} weights"] = {key: tensor.numpy().tobytes() for key, tensor in tensors.items()}
        strays = [p.name for p in folder.iterdir() if p.name.startswith((".", "lease.", "failed"))]
        assert not [name for name in strays if not name.startswith(".")], strays
    return found


@pytest.mark.slow
def test_killed_at_random_and_starved_the_table_is_that_of_one_left_alone(file: Path) -> None:
    shared(file, "whole", 0, 0)
    seed = random.randrange(10**6)  # another course each time; a failure tells which
    told = shared(file, "cut", KILLS, seed)
    whole, cut = contents(file.parent / "whole"), contents(file.parent / "cut")
    assert len(whole) == 1 + 2 * 8
    assert cut == whole, f"seed {seed}"
    failures = [line for line in told.splitlines() if " FAILED: " in line]
    assert failures, told
    for line in failures:
        assert "could not be written" in line, line
        assert "File too large" in line or "bytes are free" in line, line


@pytest.mark.slow
def test_two_machines_share_a_folder_and_follow_each_other_when_they_fall_silent(file: Path) -> None:
    file.write_text(file.read_text().replace("seeds = [0, 1]", "seeds = [0]"))
    shared(file, "whole", 0, 0)
    seed = random.randrange(10**6)
    shared(file, "two", 2, seed, "machines")
    assert contents(file.parent / "two") == contents(file.parent / "whole"), f"seed {seed}"


def run(world: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [str(Path(sys.executable).with_name("kgreason")), "ablate", "toy.ablation.toml", *arguments]
    return subprocess.run(command, capture_output=True, text=True, env=environment(world), timeout=500, check=False)


@pytest.mark.slow
def test_a_run_that_fails_takes_too_much_or_dies_is_reported_and_the_rest_goes_on(file: Path) -> None:
    world = file.parent
    (world / "toy_encoder.py").write_text(
        (world / "toy_encoder.py").read_text()
        + "\nclass Broken(ToyEncoder):\n    def forward(self, batch):\n        raise RuntimeError('no use')\n"
        + "\nclass Large(ToyEncoder):\n    def forward(self, batch):\n        self.held = torch.ones(600_000_000)\n"
        + "        __import__('time').sleep(60)\n"
        + "\nclass Dead(ToyEncoder):\n    def forward(self, batch):\n        import os, sys\n"
        + "        print('a last word', file=sys.stderr, flush=True)\n        os.kill(os.getpid(), 9)\n"
    )
    rows = [f'{name} = {{ "encode.name" = "toy_encoder:{name.title()}" }}' for name in ("broken", "large", "dead")]
    file.write_text(
        'title = "Toy"\nbase = "toy.toml"\n[variants]\nnone = { "ground.name" = "nothing" }\n' + "\n".join(rows)
    )
    found = run(world, "--jobs", "2", "--memory", "1.5G", "--json")
    assert found.returncode == 1, found.stderr
    assert {json.loads(line)["variant"] for line in found.stdout.splitlines()} == {"base", "none"}
    assert "broken, seed 0 failed: RuntimeError: no use" in found.stderr
    assert "of memory, and may take 1.50" in found.stderr
    assert "ended by signal 9" in found.stderr
    assert "a last word" in found.stderr
    assert "the table has no row for: broken, dead, large" in found.stderr
    assert len(list(world.glob("runs/*/failed.json"))) == 3
    assert len(list(world.glob("runs/*/metrics.json"))) == 2


@pytest.mark.slow
def test_the_workers_of_a_killed_ablation_end_and_the_next_goes_on(file: Path) -> None:
    world = file.parent
    command = [str(Path(sys.executable).with_name("kgreason")), "ablate", "toy.ablation.toml", "--jobs", "2", "-q"]
    cut = subprocess.Popen(command, env=environment(world), stdout=subprocess.DEVNULL, start_new_session=True)
    deadline = time.monotonic() + 240
    while not list(world.glob("runs/*/lease.*")):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    workers = [json.loads(path.read_text() or "{}").get("pid") for path in world.glob("runs/*/lease.*")]
    cut.send_signal(signal.SIGKILL)
    cut.wait()
    found = run(world, "-q")
    assert found.returncode == 0, found.stderr
    assert found.stdout.startswith("# Toy")
    for pid in filter(None, workers):
        assert not Path(f"/proc/{pid}").exists()

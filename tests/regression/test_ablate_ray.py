"""An ablation on a real Ray cluster of this machine: the same file, the same table; a failure is reported."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("ray")

SCRIPT = """
import os, sys
from pathlib import Path
from kgreason.experiment.ablate import Ablation, write_table
from kgreason.experiment.crew import Limits
from kgreason.experiment.ray_crew import RayCrew
from kgreason.experiment.sweep import sweep
from kgreason.experiment.worker import Manner

ablation, out = Ablation.from_toml(Path("toy.ablation.toml")), Path("runs")
crew = RayCrew("local", 2, len(ablation.todo()), Manner(str(out)), Limits(minutes=30))
fetched = []
heard = crew._fetch
def fetch(worker, folder):
    heard(worker, folder)
    elsewhere = Path("elsewhere").absolute()  # as on a machine that does not share the folder of runs
    elsewhere.mkdir(exist_ok=True)
    if not fetched:
        here = Path.cwd()
        os.chdir(elsewhere)
        crew._fetch = heard
        relative = Path(os.path.relpath(folder, here))
        crew._members[worker].files.remote(str(relative))
        heard(worker, relative)
        os.chdir(here)
        fetched.append(relative)
crew._fetch = fetch
board = sweep(ablation, crew, tell=print)
write_table(board.whole(), board.runs(), out)
print("failed:", [job.why for job in board.failed()])
print("fetched:", *fetched)
"""


@pytest.mark.slow
def test_a_cluster_of_this_machine_runs_the_same_file(world: Path) -> None:
    (world / "toy.ablation.toml").write_text(
        'title = "Toy"\nbase = "toy.toml"\n[variants]\nnone = { "ground.name" = "nothing" }\n'
        'broken = { "encode.name" = "toy_encoder:Broken" }\n'
    )
    (world / "toy_encoder.py").write_text(
        (world / "toy_encoder.py").read_text()
        + "\nclass Broken(ToyEncoder):\n    def forward(self, batch):\n        raise RuntimeError('no use')\n"
    )
    (world / "drive.py").write_text(SCRIPT)
    environment = os.environ | {"PYTHONPATH": f"{os.environ.get('PYTHONPATH', '')}:{world}", "OMP_NUM_THREADS": "1"}
    environment |= {"KGREASON_CACHE": str(world / "cache")}
    found = subprocess.run(
        [sys.executable, "drive.py"], capture_output=True, text=True, env=environment, timeout=550, check=False
    )
    assert found.returncode == 0, found.stderr[-3000:]
    assert "failed: ['RuntimeError: no use']" in found.stdout
    told = json.loads((world / "runs" / "toy.ablation.json").read_text())
    assert {row["variant"] for row in told["rows"]} == {"base", "none"}
    fetched = world / "elsewhere" / found.stdout.split("fetched:")[1].strip()
    here = world / fetched.relative_to(world / "elsewhere")
    assert (fetched / "predictions.jsonl").read_bytes() == (here / "predictions.jsonl").read_bytes()
    assert (fetched / "model.safetensors").read_bytes() == (here / "model.safetensors").read_bytes()

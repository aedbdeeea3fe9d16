"""What goes wrong outside: the real command, its exit code and what it leaves behind."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

KGREASON = [sys.executable, "-c", "from kgreason.cli import main; main()"]


def call(*arguments: str, prefix: tuple[str, ...] = ()) -> "subprocess.CompletedProcess[str]":
    command = [*prefix, *KGREASON, *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, env=_environment())


def _environment() -> dict[str, str]:
    path = os.pathsep.join([str(Path.cwd()), os.environ.get("PYTHONPATH", "")])  # the toy encoder stands there
    return os.environ | {"PYTHONPATH": path, "OMP_NUM_THREADS": "1"}


def half_written(folder: Path) -> list[Path]:
    return [path for path in folder.rglob(".*") if path.is_file()]


@pytest.mark.parametrize("arguments", [["--help"], ["run", "--help"], ["data", "list"]])
def test_help_starts_without_torch(arguments: list[str]) -> None:
    code = (
        "import sys\nfrom kgreason.cli import app\n"
        f"try:\n    app({arguments!r}, standalone_mode=True)\nexcept SystemExit as e:\n    assert e.code == 0\n"
        "heavy = {'torch', 'transformers', 'rdflib', 'numba', 'sklearn'} & set(sys.modules)\n"
        "assert not heavy, heavy"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert found.returncode == 0, found.stderr


def test_every_command_completes_in_a_shell() -> None:
    environment = _environment() | {
        "_KGREASON_COMPLETE": "complete_bash",
        "COMP_WORDS": "kgreason pre",
        "COMP_CWORD": "1",
    }
    code = "import sys; sys.argv = ['kgreason']; from kgreason.cli import app; app(prog_name='kgreason')"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, env=environment)
    assert "predict" in found.stdout.split()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["run", "none.toml"], "none.toml: there is no such file"),
        (["check", "toy.toml", "--set", "decode.cycels=2"], "Did you mean 'cycles'"),
        (["run", "broken.toml"], "train.jsonl, line 2"),
    ],
)
def test_what_the_user_can_mend_exits_2_without_a_traceback(world: Path, arguments: list[str], message: str) -> None:
    (world / "broken.toml").write_text((world / "toy.toml").read_text())
    if "broken.toml" in arguments:
        lines = (world / "train.jsonl").read_text().splitlines()
        (world / "train.jsonl").write_text("\n".join([lines[0], lines[1].replace("entailment", "entails"), "{"]) + "\n")
        message = (
            "train.jsonl, line 2: there is no label" if "entails" in (world / "train.jsonl").read_text() else "line 3"
        )
    found = call(*arguments)
    assert found.returncode == 2, found.stderr
    assert message in found.stderr
    assert "Traceback" not in found.stderr
    assert not found.stdout
    assert not (world / "runs").exists() or not half_written(world / "runs")


def test_a_defect_keeps_its_traceback(world: Path) -> None:
    (world / "toy_encoder.py").write_text("class ToyEncoder:\n    def __init__(self):\n        1 / 0\n")
    found = call("check", "toy.toml", "--no-data")
    assert found.returncode == 1
    assert "ZeroDivisionError" in found.stderr
    assert "Traceback" in found.stderr


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="limits of file size and signals are POSIX")
def test_a_full_disk_exits_2_and_leaves_nothing_half_written(world: Path) -> None:
    full = ("bash", "-c", 'ulimit -f 200; exec "$@"', "-")  # no file above 100 or 200 KiB: the weights do not fit
    found = call("run", "toy.toml", "-q", prefix=full)
    assert found.returncode == 2, found.stderr
    assert "could not be written" in found.stderr
    assert "Traceback" not in found.stderr
    assert not half_written(world / "runs")
    assert not list((world / "runs").rglob("metrics.json"))
    whole = call("run", "toy.toml", "-q")
    assert whole.returncode == 0, whole.stderr


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="signals are POSIX")
def test_ctrl_c_at_any_moment_exits_130_and_the_run_goes_on_later(world: Path) -> None:
    settings = ["--set", "train.epochs=12", "--set", "train.patience=0", "--set", "train.save_every=0.2"]
    for moment in ("Toy world", "epoch 2"):  # while it prepares, and while it trains
        process = subprocess.Popen(
            [*KGREASON, "run", "toy.toml", *settings], stderr=subprocess.PIPE, text=True, env=_environment()
        )
        assert process.stderr is not None
        for line in process.stderr:
            if line.startswith(moment):
                break
        process.send_signal(signal.SIGINT)
        told = process.stderr.read()
        process.stderr.close()
        assert process.wait(60) == 130, told
        assert "Traceback" not in told
        assert "Interrupted" in told
        assert not (world / "runs").exists() or not half_written(world / "runs")
    assert not list((world / "runs").rglob("metrics.json"))
    finished = call("run", "toy.toml", *settings, "--json")
    assert finished.returncode == 0, finished.stderr
    assert "Going on at step" in finished.stderr
    assert json.loads(finished.stdout)["train"]["epochs"] == 12

"""A disk that is really full: a small file system of its own, filled up by the run that is written to it."""

import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from kgreason.errors import StoreError
from kgreason.experiment.ablate import Ablation, run_ablation
from kgreason.experiment.config import ExperimentConfig
from kgreason.experiment.record import METRICS
from kgreason.experiment.retest import retest
from kgreason.experiment.run import Options, Run, run_experiment

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="mounts a file system in memory")


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A folder on a file system of its own, which holds 16 KB."""
    place = tmp_path / "disk"
    place.mkdir()
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=16k", "tmpfs", place], capture_output=True, check=False)
    if done.returncode:
        pytest.skip(f"no file system can be mounted here: {done.stderr.decode().strip()}")
    yield place
    subprocess.run(["umount", "-l", place], check=True)


def grow(disk: Path, size: int) -> None:
    subprocess.run(["mount", "-o", f"remount,size={size}k", "tmpfs", disk], check=True)


def half_written(disk: Path) -> list[str]:
    return [path.name for path in disk.rglob("*") if path.name.startswith(".") or path.name.endswith(".partial")]


def outcome(run: Run) -> tuple[object, bytes]:
    return run.metrics["test"], (run.folder / "predictions.jsonl").read_bytes()


# TensorBoard writes in a thread of its own, which also shows the error before it hands it on
@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
@pytest.mark.slow
def test_a_run_on_a_full_disk_says_so_leaves_nothing_half_written_and_goes_on_later(world: Path, disk: Path) -> None:
    config = ExperimentConfig.from_toml(world / "toy.toml").with_overrides({"train.tensorboard": True})
    whole = run_experiment(config, Options(out=world / "whole"))
    need = sum(path.stat().st_size for path in whole.folder.rglob("*") if path.is_file()) // 1024
    said: list[str] = []
    for size in (16, 40, 120, need // 4, need // 2, need - 50, need, 2 * need, 3 * need, 6 * need):
        grow(disk, size)
        try:
            found = run_experiment(config, Options(out=disk))
            break
        except StoreError as error:
            said.append(str(error))
        assert not list(disk.rglob(METRICS))
        assert not half_written(disk)
    assert all("could not be written" in told for told in said), said
    assert all("No space left on device" in told or "bytes are free" in told for told in said), said
    assert len(said) >= 4, said
    assert outcome(found) == outcome(whole)
    assert not half_written(disk)
    free = shutil.disk_usage(disk)
    grow(disk, free.used // 1024)  # no room for the table of a test, nor for that of an ablation
    with pytest.raises(StoreError, match=r"could not be written|No space left"):
        retest(found.folder, {"ground.name": "nothing"}, Options(out=disk))
    assert len(list(disk.rglob(METRICS))) == 1
    (world / "one.ablation.toml").write_text(
        'title = "One"\nbase = "toy.toml"\n[variants]\nx = { "decode.cycles" = 1 }'
    )
    with pytest.raises(StoreError, match=r"could not be written|No space left"):
        run_ablation(Ablation.from_toml(world / "one.ablation.toml"), Options(out=disk), lambda *_: None)
    assert len(list(disk.rglob(METRICS))) == 1
    assert not half_written(disk)

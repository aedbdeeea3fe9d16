"""One process at a time works on a folder, and a dead one is followed."""

import json
import multiprocessing
import os
import time
from pathlib import Path

import pytest

from kgreason.experiment import lease
from kgreason.experiment.lease import BusyError, busy, take


def dead_lease(folder: Path, **changed: object) -> None:
    """Leave the lease of a process that is not there any more."""
    folder.mkdir(exist_ok=True)
    (folder / "lease.1").write_text(json.dumps(lease._me() | {"pid": 2**22 + 1} | changed))


def test_a_living_process_keeps_others_out(tmp_path: Path) -> None:
    held = take(tmp_path / "run")
    with pytest.raises(BusyError, match=rf"is being run by process {os.getpid()} on this machine"):
        take(tmp_path / "run")
    assert busy(tmp_path / "run")
    held.check()
    held.release(done=False)
    assert not busy(tmp_path / "run")
    again = take(tmp_path / "run")
    assert {p.name for p in (tmp_path / "run").iterdir()} == {"lease.1", "lease.2"}  # no number comes back
    again.release(done=True)
    assert not list((tmp_path / "run").iterdir())
    assert not busy(tmp_path / "nowhere")


def test_a_dead_process_of_this_machine_is_followed_at_once(tmp_path: Path) -> None:
    dead_lease(tmp_path / "a")
    take(tmp_path / "a").release(done=True)
    dead_lease(tmp_path / "b", pid=os.getpid(), started="1")  # the number was given to another process
    take(tmp_path / "b").release(done=True)


def test_a_process_of_another_machine_is_followed_when_it_gives_no_sign(tmp_path: Path) -> None:
    dead_lease(tmp_path, place="elsewhere", host="elsewhere")
    with pytest.raises(BusyError, match="on elsewhere"):
        take(tmp_path)
    old = time.time() - lease.DEAD - 1
    os.utime(tmp_path / "lease.1", (old, old))
    take(tmp_path).release(done=True)
    (tmp_path / "lease.1").write_text("")  # made just now, not written yet
    with pytest.raises(BusyError):
        take(tmp_path)


def test_who_was_followed_finds_out(tmp_path: Path) -> None:
    held = take(tmp_path)
    (tmp_path / "lease.2").write_text("{}")
    with pytest.raises(BusyError, match="another has taken the run over"):
        held.check()
    held.release(done=False)


def test_a_sign_of_life_is_given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lease, "BEAT", 0.02)
    held = take(tmp_path)
    os.utime(tmp_path / "lease.1", (0, 0))
    for _ in range(100):
        time.sleep(0.02)
        if (tmp_path / "lease.1").stat().st_mtime > 0:
            break
    assert (tmp_path / "lease.1").stat().st_mtime > 0
    held.release(done=True)


def _try(folder: str, begin: float) -> bool:
    time.sleep(max(0.0, begin - time.time()))
    try:
        take(Path(folder))
    except BusyError:
        return False
    time.sleep(0.3)  # all others must have tried
    return True


def test_of_many_that_follow_a_dead_process_one_succeeds(tmp_path: Path) -> None:
    for _round in range(4):
        folder = tmp_path / str(_round)
        dead_lease(folder)
        with multiprocessing.get_context("fork").Pool(8) as pool:
            begin = time.time() + 0.1
            took = pool.starmap(_try, [(str(folder), begin)] * 8, chunksize=1)
        assert sum(took) == 1

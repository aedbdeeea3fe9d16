"""How every command speaks."""

import io
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from kgreason.cli.console import Watcher, print_json, read_jsonl, run, say, set_quiet
from kgreason.errors import ConfigError, DataError
from kgreason.train import Progress


def _raise(error: BaseException) -> Callable[[], Any]:
    def command() -> None:
        raise error

    return command


@pytest.mark.parametrize(
    ("error", "code", "told"),
    [
        (ConfigError("the file is wrong"), 2, "ConfigError: the file is wrong"),
        (OSError(28, "No space left on device", "/x"), 2, "No space left on device"),
        (KeyboardInterrupt(), 130, "Interrupted"),
        (SystemExit(130), 130, "Interrupted"),
    ],
)
def test_what_the_user_can_mend_has_no_traceback(
    error: BaseException, code: int, told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(_raise(error)) == code
    captured = capsys.readouterr()
    assert told in captured.err
    assert "Traceback" not in captured.err
    assert not captured.out


def test_a_defect_of_ours_keeps_its_traceback() -> None:
    with pytest.raises(ZeroDivisionError):
        run(_raise(ZeroDivisionError()))


def test_lines_are_read_in_order_and_bad_ones_are_errors_in_their_place(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(b'\xef\xbb\xbf{"a": 1}\n\n{"a": \n[1]\n\xff\n{"a": "\\ud800"}\n' + b"[" * 100_000 + b"\n")
    found = list(read_jsonl(str(path)))
    assert [number for number, _ in found] == [1, 3, 4, 5, 6, 7]
    kinds = [type(value).__name__ for _, value in found]
    assert kinds == ["dict", "DataError", "DataError", "DataError", "dict", "DataError"]
    assert "line 3" in str(found[1][1])


def test_a_missing_input_is_named() -> None:
    with pytest.raises(DataError, match="no such file"):
        list(read_jsonl("none.jsonl"))


def test_json_lines_can_hold_any_text(capsys: pytest.CaptureFixture[str]) -> None:
    results = [{"uid": "ä"}, {"uid": "\ud800"}, {"uid": "\x00\u2028"}]
    for result in results:
        print_json(result)
    lines = capsys.readouterr().out.encode("utf-8").split(b"\n")[:-1]
    assert [json.loads(line) for line in lines] == results


def test_quiet_is_quiet(capsys: pytest.CaptureFixture[str]) -> None:
    set_quiet(True)
    say("hello")
    set_quiet(False)
    say("there")
    assert capsys.readouterr().err == "there\n"


def test_progress_is_plain_lines_where_there_is_no_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    with Watcher() as watcher:
        watcher.tell("begin")
        for i in range(1, 101):
            watcher.step("prepare", i, 100)
        watcher.watch(Progress(kind="epoch", epoch=0, loss=0.5, metrics={"accuracy": 0.25}, seconds=3.0))
    told = capsys.readouterr().err
    assert told.splitlines()[0] == "begin"
    assert told.count("prepare") <= 2
    assert "epoch 1: loss 0.5000, dev accuracy 0.2500" in told
    assert "\x1b" not in told


def test_progress_is_a_bar_on_a_terminal_and_lines_stay_above_it(monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    with Watcher() as watcher:
        watcher.step("prepare", 1, 2)
        watcher.step("train", 1, 2, "loss [0.5]")
        watcher.tell("a [bracket] stays")
    assert "a [bracket] stays" in terminal.getvalue()

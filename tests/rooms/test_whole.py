"""Files that appear whole or not at all."""

import os
from pathlib import Path

import pytest

from kgreason.whole import new_file, write_whole


def test_a_file_appears_when_it_is_whole_and_others_may_read_it(tmp_path: Path) -> None:
    path = tmp_path / "a" / "b" / "file"
    with new_file(path) as file:
        file.write(b"half")
        file.flush()
        assert not path.exists()
        file.write(b" and half")
    assert path.read_bytes() == b"half and half"
    assert [each.name for each in path.parent.iterdir()] == ["file"]
    before = os.umask(0o022)
    try:
        assert write_whole(tmp_path / "shared", b"").stat().st_mode & 0o777 == 0o644
    finally:
        os.umask(before)


@pytest.mark.parametrize("why", [OSError("no space"), KeyboardInterrupt()])
def test_what_fails_leaves_what_was_there_and_nothing_else(tmp_path: Path, why: BaseException) -> None:
    path = write_whole(tmp_path / "file", b"old")

    def fail() -> None:
        with new_file(path) as file:
            file.write(b"new")
            raise why

    with pytest.raises(type(why)):
        fail()
    assert path.read_bytes() == b"old"
    assert [each.name for each in tmp_path.iterdir()] == ["file"]

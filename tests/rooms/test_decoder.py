from pathlib import Path

import polars as pl
import pytest

from kgreason.errors import DataError
from kgreason.knowledge import ParquetSource
from kgreason.knowledge.decoder import Decoder

ABORTS = Path(__file__).parents[1] / "corpus" / "readers" / "aborts.parquet"
TABLE = pl.DataFrame({"head": ["a", "b"], "relation": ["r", "s"], "tail": ["b", "ç"]})


def test_the_end_of_a_decoder_is_an_error_of_the_file_and_the_next_one_is_read(tmp_path: Path) -> None:
    sound = tmp_path / "sound.parquet"
    TABLE.write_parquet(sound)
    with Decoder() as decoder:
        decoder.names(sound, arrow=False)
        assert decoder._child is not None
        decoder._child.kill()
        with pytest.raises(DataError, match="the decoder broke off on it"):
            decoder.rows(sound, False, ["head"], 0, 10)
        assert decoder.names(sound, arrow=False) == ["head", "relation", "tail"]
        assert decoder.rows(sound, False, ["tail", "head"], 1, 10).rows() == [("ç", "b")]


def test_a_file_that_aborts_polars_ends_no_build() -> None:
    with pytest.raises(DataError, match=r"aborts\.parquet cannot be read as parquet: .+ Get the file again\."):
        ParquetSource(ABORTS)()


@pytest.mark.parametrize("ending", ["parquet", "arrow"])
def test_what_is_no_such_file(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"graph.{ending}"
    path.write_bytes(b"PAR1 no table")
    with pytest.raises(DataError, match=rf"graph\.{ending} cannot be read as {ending}: .+ Get the file again\."):
        ParquetSource(path)()


def test_a_decoder_ends_with_its_context(tmp_path: Path) -> None:
    TABLE.write_ipc(tmp_path / "graph.arrow")
    with Decoder() as decoder:
        assert decoder.names(tmp_path / "graph.arrow", arrow=True) == ["head", "relation", "tail"]
        child = decoder._child
    assert child is not None
    assert child.returncode is not None

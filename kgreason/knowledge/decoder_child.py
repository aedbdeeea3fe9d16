"""Decodes Parquet and Arrow files in a process of its own: what a damaged file makes of a decoder ends no build.

Run as a program, by `decoder.Decoder`, with nothing of this package imported. A request is a line of JSON on standard
input; an answer is its length in eight bytes, and then either JSON or, for rows, an Arrow file.
"""

import io
import json
import struct
import sys
from typing import Any


def main() -> None:
    """Answer requests until there are no more."""
    import polars as pl

    out = sys.stdout.buffer
    for line in sys.stdin.buffer:
        asked: dict[str, Any] = json.loads(line)
        try:
            table = (pl.scan_ipc if asked["arrow"] else pl.scan_parquet)(asked["path"])
            if "columns" in asked:
                content = io.BytesIO()
                table.select(asked["columns"]).slice(asked["start"], asked["rows"]).collect().write_ipc(content)
                answer = content.getvalue()
            else:
                answer = json.dumps({"names": table.collect_schema().names()}).encode()
        except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError) as error:
            answer = json.dumps({"error": " ".join(str(error).split())[:300]}).encode()
        out.write(struct.pack(">Q", len(answer)) + answer)
        out.flush()


if __name__ == "__main__":
    main()

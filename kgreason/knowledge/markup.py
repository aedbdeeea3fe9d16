"""What a notebook shows of a graph: small tables that take the colours of the page around them."""

import html
import re
from collections.abc import Iterable, Sequence

#: Characters that HTML does not allow, not even escaped.
_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff]")
_CELL = "padding:.15em .8em .15em 0;text-align:left;vertical-align:top"


def escape(text: object) -> str:
    """Return a text that is safe inside an element and inside a quoted attribute.

    >>> escape('<b> & "x"')
    '&lt;b&gt; &amp; &quot;x&quot;'
    """
    return html.escape(_FORBIDDEN.sub("\N{REPLACEMENT CHARACTER}", str(text)))


def row_of(cells: Sequence[object]) -> str:
    """Return a row of a table."""
    return "<tr>" + "".join(f'<td style="{_CELL}">{escape(cell)}</td>' for cell in cells) + "</tr>"


def page_of(title: str, rows: Iterable[str]) -> str:
    """Return a titled table."""
    return f'<div><strong>{escape(title)}</strong><table style="border-collapse:collapse">{"".join(rows)}</table></div>'

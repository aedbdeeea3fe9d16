"""A proof as lines of text and as a table of HTML."""

from collections.abc import Sequence

from kgreason.data import Step
from kgreason.explain.markup import escape

#: A state is told without what is less likely than this.
_LEAST = 0.02
_COLUMNS = ("", "edit", "premise", "hypothesis", "relation", "place", "projected", "state after it", "why")


def told_state(step: Step) -> str:
    """Return the likely relations of a state, the likeliest first: `⊏ 0.90, # 0.08`."""
    order = sorted(step.state.items(), key=lambda item: -item[1])
    shown = [(symbol, share) for i, (symbol, share) in enumerate(order) if share >= _LEAST or not i]
    return ", ".join(f"{symbol} {share:.2f}" for symbol, share in shown[:3])


def proof_rows(steps: Sequence[Step]) -> list[tuple[str, ...]]:
    """Return a proof as a table of text, its heading first."""
    told = [
        (
            str(i),
            step.kind,
            step.premise or "–",
            step.hypothesis or "–",
            f"{step.relation} {step.probability:.2f}",
            "".join(dict.fromkeys(step.polarity)),
            step.projected,
            told_state(step),
            step.reason,
        )
        for i, step in enumerate(steps, start=1)
    ]
    return [_COLUMNS, *told]


def proof_table(steps: Sequence[Step], notes: Sequence[str], gate: float | None) -> str:
    """Return a proof, and what is to be said of it, as HTML; nothing if there is neither."""
    told = "".join(f'<div class="kgr-small">{escape(note)}</div>' for note in notes)
    if not steps:
        return told
    head, *rows = proof_rows(steps)
    body = "".join(f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in row)}</tr>" for row in rows)
    columns = "".join(f'<th scope="col">{escape(cell)}</th>' for cell in head)
    counted = "" if gate is None else f'<div class="kgr-small">the proof counts by {100 * gate:.0f} %</div>'
    return (
        '<div class="kgr-proof"><span class="kgr-small">proof</span><div class="kgr-scroll"><table>'
        f"<thead><tr>{columns}</tr></thead><tbody>{body}</tbody></table></div>{counted}{told}</div>"
    )

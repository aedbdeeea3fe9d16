"""What a comparison says, in one sentence that claims no more than the numbers do."""

from dataclasses import dataclass
from typing import final

from kgreason.statistics.compare import ALPHA, Difference, Verdict


@final
@dataclass(frozen=True, slots=True)
class Compared:
    """A comparison with the names of the two.

    Args:
        name: The variant.
        against: What it is compared with.
        metric: What the points are points of, such as `accuracy`.
        difference: How they differ.
        p: The bootstrap's p, corrected for how many variants were compared.
    """

    name: str
    against: str
    metric: str
    difference: Difference
    p: float

    @property
    def verdict(self) -> Verdict:
        return self.difference.verdict(self.p)


def told(compared: Compared) -> str:
    """Return what a comparison says.

    If no difference can be told, the sentence says so, and which difference this test would have shown; it says
    `more` or `fewer` only with `Difference.verdict`.
    """
    d = compared.difference
    of = f"points of {compared.metric}"
    if compared.verdict != "unclear":
        does, to = ("adds", "to") if d.value > 0 else ("takes", "from")
        sign = 1 if d.value > 0 else -1
        low, high = sorted((sign * d.low, sign * d.high))
        size = f"{_points(sign * d.value)} {of} [{_points(low)}, {_points(high)}]"
        return f"{compared.name} {does} {size} {to} {compared.against} (p {_p(compared.p)}).{_one_seed(d)}"
    seen = f"with {_size(d)}, {_points(d.detectable)} points could have been seen"
    if not d.wins + d.losses:
        return f"{compared.name} and {compared.against} do equally well on every example, with every seed; {seen}."
    return (
        f"No difference between {compared.name} and {compared.against} can be told: {_signed(d)} {of}{_but(compared)}; "
        f"{seen}.{_one_seed(d)}"
    )


def facts_told(gain: Compared, control: Compared, between: Compared) -> str:
    """Return whether a gain comes from the facts of a graph.

    That a gain is told with the graph, and none with a spoilt one, does not show that the two differ (Gelman and Stern,
    2006, American Statistician 60); so they are compared with each other, too.

    Args:
        gain: The graph, against none.
        control: The same with wrong facts, against none.
        between: The graph, against the one with wrong facts.
    """
    both = f"{_adds(gain)}; {_adds(control)}: "
    if gain.verdict == "worse":
        return f"{both}the graph does harm."
    if gain.verdict == "unclear":
        seen = f"{_points(gain.difference.detectable)} points could have been seen with {_size(gain.difference)}"
        return f"{both}no gain from the graph can be told; {seen}."
    apart = f"the two are {_signed(between.difference)} points apart"
    if between.verdict == "better" and control.verdict == "better":
        return f"{both}part of the gain comes from its facts ({apart}), the rest does not need them."
    if between.verdict == "better":
        return f"{both}the gain comes from its facts."
    if between.verdict == "worse":
        return f"{both}the graph with wrong facts does better; the gain does not come from the facts."
    if control.verdict == "better":
        return (
            f"{both}both gain, and no difference between them can be told ({apart}); the gain may not need its facts."
        )
    return f"{both}whether the gain comes from its facts cannot be told ({apart})."


def _adds(compared: Compared) -> str:
    d = compared.difference
    return f"{compared.name} adds {_points(d.value)} points [{_points(d.low)}, {_points(d.high)}]"


def _but(compared: Compared) -> str:
    """Say what stands against a difference whose interval leaves 0 out."""
    d = compared.difference
    if d.low <= 0 <= d.high:
        return ""
    if compared.p >= ALPHA:
        return f" (the interval leaves 0 out, but p is {_p(compared.p)} after correction)"
    return f" (the interval leaves 0 out, but p of the permutation test is {_p(d.permutation)})"


def _one_seed(d: Difference) -> str:
    return " One seed: what chance in training does is not in the interval." if d.seeds == 1 else ""


def _size(d: Difference) -> str:
    grouped = f" in {d.units:,} groups" if d.units != d.items else ""
    return f"{d.items:,} examples{grouped} and {d.seeds} {'seed' if d.seeds == 1 else 'seeds'}"


def _signed(d: Difference) -> str:
    return f"{100 * d.value:+.1f} [{100 * d.low:+.1f}, {100 * d.high:+.1f}]"


def _points(value: float) -> str:
    return f"{100 * value + 0.0:.1f}"


def _p(p: float) -> str:
    return f"{p:.2g}" if p >= 1e-4 else "< 0.0001"

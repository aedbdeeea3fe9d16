"""A prediction as a fragment of HTML: escaped, shaded where the decoder looked, one row for each cycle."""

import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kgreason.data.prediction import Cycle, Look, Prediction, Step
from kgreason.errors import DataError
from kgreason.explain import escape, to_html

TEXTS = ("A man plays the guitar.", "A man plays the piano.")
FIRST = Cycle((Look("man", 0.4, (0, 2, 5)), Look("instrument", 0.1)), "neutral", {"neutral": 0.6, "contradiction": 0.4})
LAST = Cycle(
    (Look("guitar", 0.64, (0, 16, 22)), Look("piano", 0.16, (1, 16, 21))),
    "contradiction",
    {"neutral": 0.1, "contradiction": 0.9},
    halt=0.75,
    evidence="guitar —co_hyponym→ piano",
)
PREDICTION = Prediction(
    uid="pair-1",
    answer="contradiction",
    probability=0.9,
    ranking=(("contradiction", 0.9), ("neutral", 0.1)),
    texts=TEXTS,
    path=(("guitar", "hypernym", "instrument"),),
    trace=(FIRST, LAST),
)
_VOID = {"meta", "link", "br", "input", "img"}


class Outline(HTMLParser):
    """Collects the tags, checks that they are balanced, and keeps the text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[str] = []
        self.text = ""
        self.feed(html)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        assert not [name for name, _ in attrs if name.startswith("on")]
        if tag not in _VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def test_every_cycle_is_a_row_with_its_probabilities_and_evidence() -> None:
    html = to_html(PREDICTION, ("premise", "hypothesis"), style=False)
    assert html.count('class="kgr-cycle"') == 2
    first, last = html.split('class="kgr-cycle"')[1:]
    assert "60 %" in first
    assert "40 %" in first
    assert "halts here" not in first
    assert "90 %" in last
    assert "halts here: 75 %" in last
    assert "co hyponym" in last
    assert Outline(html).text.count("hypothesis") == 2


def test_a_word_is_shaded_by_its_share_of_the_attention() -> None:
    html = to_html(PREDICTION, style=False)
    shades = {word: float(a) for a, word in re.findall(r'rgba\(var\(--kgr-shade\),([\d.]+)\)"[^>]*>(\w+)<', html)}
    assert shades.keys() == {"man", "guitar", "piano"}
    assert shades["guitar"] == pytest.approx(2 * shades["piano"], abs=0.01)  # four times the share, twice the shade


def test_a_look_without_a_span_is_named_beside_the_texts() -> None:
    assert re.search(r'class="kgr-chip">instrument <span[^>]*>10 %', to_html(PREDICTION))


def test_overlapping_and_outlying_spans_keep_the_text_whole() -> None:
    looks = (Look("", 0.5, (0, 0, 400)), Look("", 0.9, (0, 2, 5)), Look("", 0.2, (0, 4, 9)), Look("", 1.0, (7, 0, 3)))
    html = to_html(replace(PREDICTION, trace=(replace(FIRST, looks=looks),)), style=False)
    assert TEXTS[0] in Outline(html).text
    assert TEXTS[1] in Outline(html).text


def test_facts_used_are_listed() -> None:
    assert "facts used" in to_html(PREDICTION)
    assert "facts used" not in to_html(replace(PREDICTION, path=()))


def test_without_a_trace_the_texts_are_shown_once() -> None:
    assert Outline(to_html(replace(PREDICTION, trace=()), style=False)).text.count(TEXTS[0]) == 1


def test_only_the_best_of_many_answers_are_drawn() -> None:
    ranking = tuple((f"entity {i}", 1 / 1000) for i in range(1000))
    html = to_html(replace(PREDICTION, answer="entity 0", ranking=ranking))
    assert "entity 4" in html
    assert "entity 5" not in html


def test_an_answer_has_the_same_colour_whichever_is_best() -> None:
    other = replace(PREDICTION, answer="neutral", ranking=PREDICTION.ranking[::-1])
    colour = r'stroke="var\(--kgr-(\w)\)'
    assert re.findall(colour, to_html(PREDICTION)) == re.findall(colour, to_html(other))


def test_roles_must_fit_the_texts() -> None:
    with pytest.raises(DataError, match="2 texts but 1 roles"):
        to_html(PREDICTION, ("premise",))


HOSTILE = st.text(
    st.one_of(st.characters(), st.sampled_from("<>&\"'\x00\ud800\udfff\ufffe\x1b`{}$\\/=")), min_size=1, max_size=40
)


@given(HOSTILE, HOSTILE, HOSTILE)
def test_no_text_can_break_out_of_the_fragment(one: str, two: str, three: str) -> None:
    cycle = Cycle((Look(one, 0.5, (0, 0, len(one))), Look(two, 0.2)), two, {two: 0.7, three: 0.3}, 0.5, three)
    given_texts = Prediction(one, two, 0.7, ((two, 0.7), (three, 0.3)), (one, two), ((one, two, three),), (cycle,) * 3)
    html = to_html(given_texts, (two, three), style=False)
    html.encode("utf-8")
    plain = replace(
        PREDICTION, texts=("a", "b"), trace=(replace(FIRST, looks=(Look("a", 0.5, (0, 0, 1)), Look("b", 0.2))),) * 3
    )
    allowed = set(Outline(to_html(plain)).tags) | {"rect", "text", "b", "polyline"}
    assert set(Outline(html).tags) <= allowed


def test_markup_in_a_text_is_shown_and_not_run() -> None:
    attack = "<script>alert(1)</script><img src=x onerror=alert(2)>"
    html = to_html(replace(PREDICTION, uid=attack, answer=attack, texts=(attack, attack), path=((attack,) * 3,)))
    assert not {"script", "img"} & set(Outline(html).tags)


@given(st.text(st.characters()))
def test_escaping_keeps_the_length_that_is_seen(text: str) -> None:
    seen = Outline(f"<p>{escape(text)}</p>").text
    assert len(seen) == len(text)


def test_a_proof_is_a_table_with_a_row_for_each_step_and_its_notes() -> None:
    step = Step("substitute", "dog", "<b>", "⊏", 0.91, ("↑", "↓"), "⊐", {"⊏": 0.9, "#": 0.08, "|": 0.02}, "a & b")
    proved = replace(PREDICTION, proof=(step, replace(step, premise="")), gate=0.25, notes=("not <sure>",))
    outline = Outline(to_html(proved))
    assert outline.tags.count("tr") == 3
    for told in ("<b>", "a & b", "⊏ 0.91", "↑↓", "⊏ 0.90, # 0.08, | 0.02", "not <sure>", "counts by 25 %"):
        assert told in outline.text
    alone = Outline(to_html(replace(PREDICTION, notes=("nothing was proved",))))
    assert "table" not in alone.tags
    assert "nothing was proved" in alone.text

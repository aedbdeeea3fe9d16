"""CoNLL-U files, and parses taken from them."""

from pathlib import Path

import numpy as np
import pytest

from kgreason.data import DEPENDENCY_RELATIONS, Example
from kgreason.errors import DataError
from kgreason.parse import ConlluParser
from kgreason.parse.conllu import raw_documents, read
from kgreason.parse.spacy_pipeline import to_universal

FILE = """\
# newdoc id = d
# text = She can't sing.
1\tShe\tshe\tPRON\tPRP\t_\t4\tnsubj\t_\t_
2-3\tcan't\t_\t_\t_\t_\t_\t_\t_\t_
2\tca\tcan\tAUX\tMD\t_\t4\taux\t_\t_
3\tn't\tnot\tPART\tRB\t_\t4\tadvmod\t_\t_
4\tsing\tsing\tVERB\tVB\t_\t0\troot\t_\tSpaceAfter=No
5\t.\t.\tPUNCT\t.\t_\t4\tpunct\t_\t_

# text = Vámonos al mar.
1-2\tVámonos\t_\t_\t_\t_\t_\t_\t_\t_
1\tVamos\tir\tVERB\t_\t_\t0\troot\t_\t_
2\tnos\tnosotros\tPRON\t_\t_\t1\tobj\t_\t_
3-4\tal\t_\t_\t_\t_\t_\t_\t_\t_
3\ta\ta\tADP\t_\t_\t5\tcase\t_\t_
4\tel\tel\tDET\t_\t_\t5\tdet\t_\t_
5\tmar\tmar\tNOUN\t_\t_\t1\tobl:arg\t_\tSpaceAfter=No
5.1\tgone\t_\t_\t_\t_\t_\t_\t_\t_
6\t.\t.\tPUNCT\t_\t_\t1\tpunct\t_\t_

# newpar
1\tYes\tyes\tINTJ\tUH\t_\t0\troot\t_\t_
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "a.conllu"
    path.write_text(FILE, encoding="utf-8")
    return path


def example(text: str) -> Example:
    return Example("e", (text,), ("premise",))


def test_contractions_have_places_of_their_own_where_their_words_spell_them(file: Path) -> None:
    english, spanish, _ = read(file)
    assert [english.text[a:b] for a, b in english.sentence.spans] == ["She", "ca", "n't", "sing", "."]
    assert [spanish.text[a:b] for a, b in spanish.sentence.spans] == ["Vámonos", "Vámonos", "al", "al", "mar", "."]
    assert len(english.tokens) == 4


def test_running_text_is_put_together(file: Path) -> None:
    ((text, entries, starts),) = raw_documents(read(file))
    assert text == "She can't sing. Vámonos al mar.\n\nYes "[:-1]
    assert [text[s : s + 3] for s in starts] == ["She", "Vám", "Yes"]
    assert len(entries) == 3


@pytest.mark.parametrize("match", ["text", "order"])
def test_parses_are_found_whatever_the_spacing(file: Path, match: str) -> None:
    parser = ConlluParser([str(file)], match)  # type: ignore[arg-type]
    text = " She  can't\nsing.\u00a0Vámonos al mar."
    (graph,) = parser([example(text)])
    assert [text[a:b] for _, a, b in graph.node_span[:5]] == ["She", "ca", "n't", "sing", "."]
    assert graph.node_text[5:7] == ("Vamos", "nos")
    relation = [DEPENDENCY_RELATIONS[r] for r in graph.edge_relation.tolist()]
    assert relation == ["nsubj", "aux", "advmod", "punct", "obj", "case", "det", "obl", "punct"]
    np.testing.assert_array_equal(graph.edge_index[:, 0], [3, 0])


def test_a_text_without_parse_is_named(file: Path) -> None:
    with pytest.raises(DataError, match=r"Example 'e': no parse in .*a\.conllu for the text that begins: He can"):
        ConlluParser([str(file)])([example("Yes He can")])
    with pytest.raises(DataError, match="what comes next there is: She can't sing"):
        ConlluParser([str(file)], "order")([example("Yes")])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("1\tYes\tyes\n", "line 1 has 3 columns, expected 10"),
        (FILE.replace("4\tsing", "7\tsing"), "sentence from line 1: the words are not numbered"),
        (FILE.replace("\t0\troot\t_\tSpaceAfter=No", "\t1\troot\t_\t_"), "do not form one tree"),
        (FILE.replace("\t0\troot\t_\tSpaceAfter=No", "\tx\troot\t_\t_"), "column 7 must be the number"),
        (FILE.replace("\t0\troot\t_\tSpaceAfter=No", "\t-3\troot\t_\t_"), "do not form one tree"),
        (FILE.replace("\t0\troot\t_\tSpaceAfter=No", "\t99\troot\t_\t_"), "do not form one tree"),
    ],
)
def test_a_broken_file_is_refused_with_its_line(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "b.conllu"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(DataError) as caught:
        list(read(path))
    assert message in str(caught.value)


def test_bytes_that_are_no_text_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "c.conllu"
    path.write_bytes(b"\xff\xfe1\t")
    with pytest.raises(DataError, match="is not UTF-8"):
        list(read(path))


def test_a_preposition_becomes_the_case_of_its_noun() -> None:
    # "a man in a hat was seen by us": spaCy's own relations
    governors = [2, 7, 2, 5, 3, 7, 0, 7, 8]
    names = ["det", "nsubjpass", "prep", "det", "pobj", "auxpass", "root", "agent", "pobj"]
    upos = ["DET", "NOUN", "ADP", "DET", "NOUN", "AUX", "VERB", "ADP", "PRON"]
    turned, relations = to_universal(governors, names, upos)
    assert turned == [2, 7, 5, 5, 2, 7, 0, 9, 7]
    assert relations == ["det", "nsubj", "case", "det", "nmod", "aux", "root", "case", "obl"]

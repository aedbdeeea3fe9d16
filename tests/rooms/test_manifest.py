"""Data sets by manifest: every form, broken lines by number, checksums, and getting files."""

import hashlib
import http.server
import io
import json
import threading
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from kgreason.errors import DataError
from kgreason.tasks import ChoiceTask, NliTask, read_split
from kgreason.tasks.fetch import fetch
from kgreason.tasks.manifest import File, Manifest, known_datasets, open_manifest

NLI, CHOICE = NliTask(), ChoiceTask()
ROWS = [("A man sleeps.", "He rests.", "entailment"), ('He said "hi"', "He sang.", "neutral")]


def write(folder: Path, name: str, text: str) -> str:
    (folder / name).write_bytes(text.encode())
    return str(folder / name)


def test_the_same_rows_in_every_form(tmp_path: Path) -> None:
    write(
        tmp_path,
        "a.jsonl",
        "".join(f'{{"sentence1": {_json(p)}, "sentence2": "{h}", "gold_label": "{y}"}}\n\n' for p, h, y in ROWS),
    )
    write(tmp_path, "a.tsv", "premise\thypothesis\tlabel\r\n" + "".join(f"{p}\t{h}\t{y}\r\n" for p, h, y in ROWS))
    quoted = "".join('"' + p.replace('"', '""') + f'",{h},{y}\n' for p, h, y in ROWS)
    write(tmp_path, "a.csv", "\ufeffpremise,hypothesis,label\n" + quoted)
    for i, name in enumerate(("premise", "hypothesis", "label")):
        write(tmp_path, f"{name}.txt", "".join(row[i] + " \n" for row in ROWS))
    write(
        tmp_path,
        "lines.toml",
        'form = "lines"\n[splits.all]\npremise = "premise.txt"\nhypothesis = "hypothesis.txt"\nlabel = "label.txt"\n',
    )
    specs = [str(tmp_path / name) for name in ("a.jsonl", "a.tsv", "a.csv", "lines.toml")]
    for spec in specs:
        examples = read_split(spec, NLI.example).examples
        assert [(*e.texts, e.target) for e in examples] == ROWS, spec
        assert len({e.uid for e in examples}) == 2


def _json(text: str) -> str:
    return '"' + text.replace('"', '\\"') + '"'


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("a.jsonl", '{"premise": "a", "hypothesis": "b"}\n{"premise": \n', r"a\.jsonl, line 2 is not JSON"),
        ("a.jsonl", '{"premise": "a", "hypothesis": "b"}\n\n[1]\n', r"a\.jsonl, line 3 is a list"),
        (
            "a.jsonl",
            '{"premise": "a", "hypothesis": "b", "label": "maybe"}\n',
            r"a\.jsonl, line 1: there is no label 'maybe'",
        ),
        ("a.jsonl", '{"premise": "a", "hypothesis": ""}\n', r"a\.jsonl, line 1: the hypothesis is empty"),
        ("a.jsonl", "{" * 100_000 + "\n", r"a\.jsonl, line 1 is not JSON"),
        ("a.tsv", "premise\thypothesis\na\tb\nc\n", r"a\.tsv, line 3 has 1 fields, the header has 2"),
        ("a.csv", 'premise,hypothesis\na,b\n"c\n', r"a\.csv, line 3 is not CSV"),
        ("a.jsonl", "", "holds no examples"),
        ("a.tsv", "premise\thypothesis\n", "holds no examples"),
        ("a.txt", "x", "its ending tells no form"),
        (
            "a.jsonl",
            '{"uid": 1, "premise": "a", "hypothesis": "b"}\n' * 2,
            r"line 2: the uid '1' stands in the file twice",
        ),
    ],
)
def test_a_broken_line_is_named_by_file_and_number(tmp_path: Path, name: str, text: str, message: str) -> None:
    with pytest.raises(DataError, match=message):
        read_split(write(tmp_path, name, text), NLI.example)


def test_a_line_that_is_not_utf8_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.tsv").write_bytes(b"premise\thypothesis\na\tb\nc\xff\td\n")
    with pytest.raises(DataError, match=r"a\.tsv, line 3 is not UTF-8"):
        read_split(str(tmp_path / "a.tsv"), NLI.example)


def test_parallel_files_of_different_length_are_named(tmp_path: Path) -> None:
    write(tmp_path, "p", "a\nb\n")
    write(tmp_path, "h", "a\n")
    write(tmp_path, "x.toml", 'form = "lines"\n[splits]\nall = { premise = "p", hypothesis = "h" }\n')
    with pytest.raises(DataError, match=r"p has 2 lines.*h has 1 lines"):
        read_split(str(tmp_path / "x.toml"), NLI.example)


def test_columns_labels_and_filters(tmp_path: Path) -> None:
    write(
        tmp_path,
        "x.toml",
        'form = "tsv"\n[columns]\nuid = "n"\npremise = "A"\nhypothesis = "B"\nlabel = "C"\ncategory = "D"\n'
        '[labels]\nE = "entailment"\nN = "neutral"\n"-" = ""\n'
        '[splits]\nall = { file = "x.tsv" }\npart = { file = "x.tsv", listed = "ids.txt" }\n'
        'rest = { file = "x.tsv", unlisted = "ids.txt" }\n'
        f'new = {{ file = "x.tsv", without = ["{tmp_path}/x.toml:part"] }}\n',
    )
    write(tmp_path, "x.tsv", "n\tA\tB\tC\tD\n1\ta\tb\tE\tcolors\n2\tc\td\tN\t\n3\te\tf\t-\tcolors\n4\ta \tb.\tE\t\n")
    write(tmp_path, "ids.txt", "1\n2\n")
    spec = f"{tmp_path}/x.toml"
    whole = read_split(f"{spec}:all", NLI.example)
    assert [e.target for e in whole.examples] == ["entailment", "neutral", "entailment"]
    assert list(whole.category.values()) == [{"category": "colors"}]
    assert [len(read_split(f"{spec}:{name}", NLI.example)) for name in ("part", "rest")] == [2, 1]
    with pytest.raises(DataError, match="holds no examples"):
        read_split(f"{spec}:new", NLI.example)  # 4 is 1 in other dress


def test_nested_columns_of_choices(tmp_path: Path) -> None:
    write(
        tmp_path,
        "x.toml",
        '[columns]\nquestion = "question.stem"\nchoices = "question.choices"\nanswer = "answerKey"\n'
        '[splits]\nall = { file = "x.jsonl" }\n',
    )
    rows = [{"label": "A", "text": "a"}, {"label": "B", "text": "b"}]
    whole = {"question": {"stem": "Where?", "choices": rows}, "answerKey": "B"}
    write(tmp_path, "x.jsonl", json.dumps(whole) + "\n")
    (example,) = read_split(f"{tmp_path}/x.toml", CHOICE.example).examples
    assert (example.texts, example.target) == (("Where?", "a", "b"), 1)
    write(tmp_path, "x.jsonl", '{"question": {"stem": "Where?"}, "answerKey": "B"}\n')
    with pytest.raises(DataError, match=r"line 1 has no field 'question\.choices'"):
        read_split(f"{tmp_path}/x.toml", CHOICE.example)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("titel = 'x'", "no key 'titel'. Did you mean 'title'"),
        ("form = 'xml'", "form = 'xml' is not known"),
        ("title = ", "not valid TOML"),
        ("[[files]]\nsha = 'x'", "a file has the key 'sha'"),
        ("[[files]]\nsha256 = 'x'", "has no 'path'"),
    ],
)
def test_a_wrong_manifest_is_named(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(DataError, match=message):
        open_manifest(write(tmp_path, "x.toml", text))


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("snly:dev", "no data set 'snly'. Did you mean 'snli'"),
        ("snli:tset", "Did you mean 'snli:test'"),
        ("snli", "names no split"),
        ("there/is/no.jsonl", "no such file"),
        ("none.toml:a", "no such file"),
    ],
)
def test_what_does_not_exist_is_named(spec: str, message: str) -> None:
    with pytest.raises(DataError, match=message):
        read_split(spec, NLI.example)


def test_a_changed_file_does_not_pass_for_the_one_described(tmp_path: Path) -> None:
    write(tmp_path, "x.jsonl", '{"premise": "a", "hypothesis": "b"}\n')
    write(
        tmp_path,
        "x.toml",
        f'[splits]\nall = {{ file = "x.jsonl" }}\n[[files]]\npath = "x.jsonl"\nsha256 = "{"0" * 64}"\n',
    )
    with pytest.raises(DataError, match="sha256"):
        read_split(f"{tmp_path}/x.toml", NLI.example)


def test_without_data_the_message_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("KGREASON_DATA", raising=False)
    with pytest.raises(DataError, match="KGREASON_DATA is not set"):
        read_split("snli:dev", NLI.example)
    monkeypatch.setenv("KGREASON_DATA", str(tmp_path))
    with pytest.raises(DataError, match=r"lacks the file snli/s1.dev.*kgreason data fetch snli"):
        read_split("snli:dev", NLI.example)


@pytest.mark.parametrize("path", known_datasets(), ids=lambda p: p.stem)
def test_every_manifest_that_ships_is_complete(path: Path) -> None:
    manifest = Manifest.from_toml(path)
    assert manifest.title
    assert manifest.licence
    assert manifest.origin
    no_file = {"without", "member"}  # other texts, and what lies within an archive
    named = {v for t in manifest.splits.values() for k, v in t.items() if k not in no_file and isinstance(v, str)}
    beside = {name for name in named if (manifest.folder / name).is_file()}
    assert named - beside <= {f.path for f in manifest.files}, "every file outside the project has a checksum"
    assert all(len(f.sha256) == 64 for f in manifest.files)


COUNTS = {
    "snli:dev": 9842,
    "snli:test": 9824,
    "cad:train": 8330,
    "cad:dev": 793,  # 1,000 without the 207 that SNLI dev holds
    "breaking_nli:test": 8193,
    "sick:train": 4500,
    "sick:dev": 500,
    "sick:test": 4927,
    "monli:positive": 1476,
    "monli:negated": 1002,
}
CHOICES = {
    "csqa:train": 9741,
    "csqa:dev": 1221,
    "csqa:inhouse_train": 8500,
    "csqa:inhouse_test": 1241,
    "obqa:train": 4957,
    "obqa:dev": 500,
    "obqa:test": 500,
}


@pytest.mark.parametrize("spec", [*COUNTS, *CHOICES])
def test_real_data_have_the_counts_their_owners_say(data: Path, spec: str) -> None:
    task = NLI if spec in COUNTS else CHOICE
    split = read_split(spec, task.example)
    assert len(split) == (COUNTS | CHOICES)[spec]
    assert all(task.gold(e) >= 0 for e in split.examples)


def test_breaking_nli_has_its_categories(data: Path) -> None:
    split = read_split("breaking_nli:test", NLI.example)
    assert len({kinds["category"] for kinds in split.category.values()}) == 14
    assert sum(e.target == "contradiction" for e in split.examples) == 7164


@pytest.fixture
def server(tmp_path: Path) -> Iterator[str]:
    """A server of our own with a file and an archive."""
    content = b'{"premise": "a", "hypothesis": "b"}\n'
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("inside/a.jsonl", content)
    pages = {"/a.jsonl": content, "/a.zip": archive.getvalue()}

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200 if self.path in pages else 404)
            self.end_headers()
            self.wfile.write(pages.get(self.path, b""))

        def log_message(self, *_: object) -> None: ...  # type: ignore[override]

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as running:
        threading.Thread(target=running.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{running.server_port}"
        running.shutdown()


SHA = hashlib.sha256(b'{"premise": "a", "hypothesis": "b"}\n').hexdigest()


def test_files_are_fetched_checked_and_not_fetched_twice(server: str, tmp_path: Path) -> None:
    files = (
        File(path="x/a.jsonl", sha256=SHA, url=f"{server}/a.jsonl"),
        File(path="x/b.jsonl", sha256=SHA, url=f"{server}/a.zip", member="inside/a.jsonl"),
    )
    told: list[str] = []
    manifest = Manifest(name="x", files=files)
    for _ in range(2):
        fetch(manifest, tmp_path, told.append)
    assert (tmp_path / "x/a.jsonl").read_bytes() == (tmp_path / "x/b.jsonl").read_bytes()
    assert sum(line.endswith(" fetched") for line in told) == 2
    assert sum(line.endswith("already") for line in told) == 2


@pytest.mark.parametrize(
    ("file", "message"),
    [
        (File(path="a", sha256="0" * 64, url="/a.jsonl"), "nothing was kept"),
        (File(path="a", sha256=SHA, url="/none"), "could not be fetched"),
        (File(path="a", sha256=SHA, url="/a.zip", member="none"), "no zip archive that holds none"),
        (File(path="a", sha256=SHA, url="/a.jsonl", member="x"), "no zip archive"),
        (File(path="a", sha256=SHA), "cannot be fetched file by file"),
    ],
)
def test_what_is_fetched_wrong_is_not_kept(server: str, tmp_path: Path, file: File, message: str) -> None:
    there = File(path=file.path, sha256=file.sha256, url=server + file.url if file.url else "", member=file.member)
    with pytest.raises(DataError, match=message):
        fetch(Manifest(name="x", files=(there,)), tmp_path, lambda text: None)
    assert not list(tmp_path.iterdir())


def test_without_a_network_the_message_says_what_to_do(tmp_path: Path) -> None:
    files = (File(path="a", sha256=SHA, url="http://127.0.0.1:9/a"),)
    with pytest.raises(DataError, match=r"could not be fetched: .*Without a network, copy the file"):
        fetch(Manifest(name="x", files=files), tmp_path, lambda text: None)


def test_a_manifest_may_not_read_files_of_this_machine(tmp_path: Path) -> None:
    files = (File(path="a", sha256=SHA, url=f"file://{tmp_path}/x"),)
    with pytest.raises(DataError, match="no http address"):
        fetch(Manifest(name="x", files=files), tmp_path, lambda text: None)

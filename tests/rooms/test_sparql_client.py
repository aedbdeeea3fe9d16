"""The client of a SPARQL endpoint: what it sends, what it refuses, when it gives up. The server here is a bad one."""

import gzip
import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kgreason.errors import ConfigError, DataError, StoreError
from kgreason.knowledge.sparql_batches import PAGE, ask_all
from kgreason.knowledge.sparql_cache import Cache
from kgreason.knowledge.sparql_client import Access, Client, TooMuchError
from kgreason.knowledge.sparql_names import longest, spans
from kgreason.knowledge.sparql_terms import Term, among, iri, is_iri, literal, ntriple, pairs, values

Reply = tuple[int, dict[str, str], bytes]
FAST = Access(wait=0.001, timeout=2.0, retries=2)


def result(*rows: str) -> bytes:
    bindings = [{"x": {"type": "uri", "value": row}} for row in rows]
    return json.dumps({"head": {"vars": ["x"]}, "results": {"bindings": bindings}}).encode()


class Scripted:
    """A server that gives the replies it was told to, and notes what it was asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[dict[str, str], dict[str, list[str]]]] = []
        self.reply: Callable[[int, dict[str, list[str]]], Reply] = lambda *_: (200, {}, result("u:a"))
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                form = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
                outer.asked.append((dict(self.headers), form))
                status, headers, body = outer.reply(len(outer.asked), form)
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: Any) -> None: ...

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}/sparql"
        threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()


@pytest.fixture
def server() -> Iterator[Scripted]:
    scripted = Scripted()
    yield scripted
    scripted.server.shutdown()
    scripted.server.server_close()


def test_a_question_and_its_answer(server: Scripted) -> None:
    assert Client(server.url, "http://g", FAST).select("SELECT ?x {}") == [(Term("iri", "u:a"),)]
    headers, form = server.asked[0]
    assert form == {"query": ["SELECT ?x {}"], "default-graph-uri": ["http://g"]}
    assert headers["Accept"].startswith("application/sparql-results+json")
    assert "Authorization" not in headers


def test_a_zipped_answer_is_read_and_a_zip_bomb_is_not(server: Scripted) -> None:
    server.reply = lambda *_: (200, {"Content-Encoding": "gzip"}, gzip.compress(result("u:a")))
    assert len(Client(server.url, "", FAST).select("q")) == 1
    server.reply = lambda *_: (200, {"Content-Encoding": "gzip"}, gzip.compress(b" " * 50_000_000))
    with pytest.raises(TooMuchError, match="more than 1000000 bytes"):
        Client(server.url, "", Access(most_bytes=1_000_000)).select("q")


def test_a_busy_server_is_asked_again_and_retry_after_is_heeded(server: Scripted) -> None:
    server.reply = lambda n, _: (503, {"Retry-After": "0"}, b"") if n < 3 else (200, {}, result("u:a"))
    assert len(Client(server.url, "", FAST).select("q")) == 1
    assert len(server.asked) == 3


@pytest.mark.parametrize(("status", "kind"), [(503, TooMuchError), (429, StoreError)])
def test_a_server_that_stays_busy_is_left_alone(server: Scripted, status: int, kind: type[Exception]) -> None:
    server.reply = lambda *_: (status, {}, b"")
    with pytest.raises(kind, match=rf"was busy \({status}\), 3 times in a row"):
        Client(server.url, "", FAST).select("q")
    assert len(server.asked) == 3


def test_a_server_that_is_away(server: Scripted) -> None:
    client = Client(server.url, "", FAST)
    server.server.shutdown()
    server.server.server_close()
    with pytest.raises(StoreError, match=r"could not be reached .*3 times in a row"):
        client.select("q")


def test_a_server_that_is_slow_is_not_waited_for(server: Scripted) -> None:
    halt = threading.Event()
    server.reply = lambda *_: (halt.wait(5), (200, {}, result()))[1]  # type: ignore[func-returns-value]
    with pytest.raises(TooMuchError, match=r"took more than 0\.2 s"):
        Client(server.url, "", Access(timeout=0.2)).select("q")
    halt.set()


@pytest.mark.parametrize(
    ("reply", "kind", "match"),
    [
        ((200, {"X-SQL-State": "S1TAT", "X-SQL-Message": "timed out"}, result()), TooMuchError, "a part only"),
        ((500, {}, b"SR171: out of memory"), TooMuchError, r"failed \(500\): SR171"),
        ((400, {}, b"syntax error at ?x"), StoreError, r"refused a question \(400\): syntax"),
        ((401, {}, b""), StoreError, r"does not let you in.*auth = "),
        ((200, {"Content-Type": "text/html"}, b"<html>Log in</html>"), StoreError, "text/html that is no SPARQL"),
        ((200, {}, b'{"head": {"vars": ["x"]}, "results": {"bindings": [{"x": 3}]}}'), StoreError, "a term was"),
        ((200, {}, b'{"head": {"vars": ["x"]}, "results": {"bindings": [{"x": {"type": "uri"}}]}}'), StoreError, "ter"),
        ((200, {}, b"[" * 100_000), StoreError, "no SPARQL result"),
        ((200, {}, b'{"head": []}'), StoreError, "no SPARQL result"),
    ],
)
def test_what_is_no_answer(server: Scripted, reply: Reply, kind: type[Exception], match: str) -> None:
    server.reply = lambda *_: reply
    with pytest.raises(kind, match=match):
        Client(server.url, "", FAST).select("q")
    assert len(server.asked) == 1


def test_a_redirect_within_the_server_is_followed(server: Scripted) -> None:
    server.reply = lambda n, _: (307, {"Location": "/elsewhere"}, b"") if n == 1 else (200, {}, result("u:a"))
    assert len(Client(server.url, "", FAST).select("q")) == 1
    assert server.asked[1][1] == {"query": ["q"]}


@pytest.mark.parametrize(
    "where",
    [
        "http://127.0.0.1:1/sparql",
        "http://example.org/sparql",
        "https://127.0.0.1/",
        "//evil.example/x",
        "file:///etc/passwd",
    ],
)
def test_a_redirect_to_another_server_is_refused(server: Scripted, where: str) -> None:
    server.reply = lambda *_: (302, {"Location": where}, b"")
    with pytest.raises(StoreError, match="leads to another server"):
        Client(server.url, "", FAST).select("q")


def test_redirects_in_a_circle_end(server: Scripted) -> None:
    server.reply = lambda *_: (302, {"Location": "/sparql"}, b"")
    with pytest.raises(StoreError, match="led on more than 3 times"):
        Client(server.url, "", FAST).select("q")


def test_who_asks_comes_from_the_environment(server: Scripted, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MY_LOGIN", "anna:geheim")
    Client(server.url, "", Access(auth="basic", secret="MY_LOGIN")).select("q")
    assert server.asked[0][0]["Authorization"] == "Basic YW5uYTpnZWhlaW0="
    monkeypatch.setenv("MY_TOKEN", "t0ken")
    Client(server.url, "", Access(auth="bearer", secret="MY_TOKEN")).select("q")
    assert server.asked[1][0]["Authorization"] == "Bearer t0ken"


@pytest.mark.parametrize(
    ("endpoint", "auth", "value", "match"),
    [
        ("ftp://x/sparql", "none", "", "not the address"),
        ("http://", "none", "", "not the address"),
        ("https://x/a b", "none", "", "not the address"),
        ("https://anna:geheim@x/sparql", "none", "", "holds a password"),
        ("http://example.org/sparql", "basic", "a:b", "not https"),
        ("https://example.org/sparql", "basic", "", "environment variable SECRET to user:password"),
        ("https://example.org/sparql", "basic", "no colon", "user:password"),
        ("https://example.org/sparql", "bearer", "to\nken", "the token"),
    ],
)
def test_addresses_and_secrets_that_are_refused(
    endpoint: str, auth: str, value: str, match: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECRET", value)
    with pytest.raises(ConfigError, match=match) as error:
        Client(endpoint, "", Access(auth=auth, secret="SECRET"))
    assert "geheim" not in str(error.value)


@pytest.mark.parametrize(
    "wrong", [{"auth": "digest"}, {"timeout": 0.0}, {"retries": -1}, {"most_bytes": 0}, {"parallel": 0}]
)
def test_access_out_of_range(wrong: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match=next(iter(wrong))):
        Access(**wrong)


def test_a_batch_that_is_too_much_is_halved(server: Scripted) -> None:
    def reply(_: int, form: dict[str, list[str]]) -> Reply:
        names = form["query"][0].split()
        return (500, {}, b"too many") if len(names) > 3 else (200, {}, result(*names))

    server.reply = reply
    names = [f"u:{i}" for i in range(20)]
    rows = ask_all(Client(server.url, "", FAST), names, " ".join, size=10)
    assert [row[0].value for row in rows if row[0]] == names


def test_an_answer_that_may_have_been_cut_is_asked_for_in_halves(server: Scripted) -> None:
    full = result(*["u:x"] * PAGE)
    server.reply = lambda _, form: (200, {}, full if " " in form["query"][0] else result(form["query"][0]))
    rows = ask_all(Client(server.url, "", FAST), ["u:a", "u:b"], " ".join)
    assert [row[0].value for row in rows if row[0]] == ["u:a", "u:b"]


def test_one_term_that_is_too_much_is_an_error(server: Scripted) -> None:
    server.reply = lambda *_: (500, {}, b"no")
    with pytest.raises(TooMuchError):
        ask_all(Client(server.url, "", FAST), ["u:a", "u:b"], " ".join)


def test_the_cache_keeps_what_holds_and_forgets_what_has_expired(tmp_path: Path) -> None:
    cache = Cache(tmp_path / "x" / "c.sqlite", days=1.0)
    assert cache.get(["a"]) == {}
    cache.put({"a": [1, "é\ud800"], "b": None})
    assert cache.get(["a", "b", "c"]) == {"a": [1, "é\ud800"], "b": None}
    assert cache.path.stat().st_mode & 0o077 == 0
    old = Cache(cache.path, days=1e-9)
    assert old.get(["a"]) == {}
    assert old.sweep() == 2
    assert cache.get(["a", "b"]) == {}
    assert not Cache(tmp_path / "y.sqlite", days=0.0).get(["a"])


def test_a_broken_cache_costs_time_and_no_answer(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "c.sqlite").write_bytes(b"this is no database" * 100)
    cache = Cache(tmp_path / "c.sqlite", days=1.0)
    assert cache.get(["a"]) == {}
    cache.put({"a": 1})
    assert "cannot be used as a cache" in caplog.text


@given(st.text())
def test_no_text_gets_out_of_its_quotes(text: str) -> None:
    from rdflib.plugins.sparql.parser import parseQuery

    try:
        written = literal(text, "en")
    except DataError:
        assert "\x00" in text or any("\ud800" <= c <= "\udfff" for c in text)
        return
    inside = written[1:-4]
    assert written == f'"{inside}"@en'
    assert '"' not in inside.replace("\\\\", "").replace('\\"', "")
    assert "\n" not in inside
    assert "\r" not in inside
    query = parseQuery(f"SELECT ?x {{ ?x <u:p> {written} }}")
    told = query[1]["where"]["part"][0]["triples"][0][2]
    assert str(told["string"]) == text
    assert written.encode()


@given(st.text(alphabet=st.sampled_from('abc:/<>"{}|^`\\ \t\n\x00é#?%\ud800'), max_size=12))
def test_no_iri_gets_out_of_its_brackets(text: str) -> None:
    if not is_iri(text):
        with pytest.raises(DataError):
            iri(text)
        return
    assert not set('<>"{}|^`\\ \t\n\x00\ud800') & set(text)


def test_what_is_no_iri_or_language() -> None:
    for wrong in ("Vienna", "http://x/> ?p ?o } #", "javascript alert", "", "a b:c"):
        with pytest.raises(DataError, match="absolute IRI"):
            iri(wrong)
    for wrong in ('en" . ?x', "e n", "@en", "abcdefghi"):
        with pytest.raises(DataError, match="language tag"):
            literal("x", wrong)


def test_values_hold_each_term_once() -> None:
    assert values("x", ["<u:a>", "<u:b>", "<u:a>"]) == "VALUES ?x { <u:a> <u:b> }"
    assert pairs(("x", "r"), [("<u:a>", "<u:p>"), ("<u:a>", "<u:p>")]) == "VALUES (?x ?r) { (<u:a> <u:p>) }"
    assert among("r", ["u:p"], outside=True) == "FILTER(?r NOT IN (<u:p>))"


def test_a_line_of_ntriples() -> None:
    assert ntriple("u:a", "u:p", Term("literal", 'say "hi"\n', "en")) == '<u:a> <u:p> "say \\"hi\\"\\n"@en .\n'


def test_names_in_a_text() -> None:
    found = spans('Which rivers flow through "New York City" and the Bronx?')
    names = [name for *_, name in found]
    assert "New York City" in names
    assert "Bronx" in names
    assert not {"and", "the", "Which", "and the"} & set(names)
    means = {
        "New York": ["u:state"],
        "New York City": ["u:city"],
        "York": ["u:york"],
        "the Bronx": ["u:bronx"],
        "Bronx": [],
    }
    assert longest(found, {k: v for k, v in means.items() if v}) == ["New York City", "the Bronx"]
    assert [name for *_, name in spans("Anna's")] == ["Anna"]
    assert spans("") == []

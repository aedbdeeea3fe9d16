"""What the documentation says exists: links, commands, options, files, names; and its examples run."""

import re
import shlex
import tomllib
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
import typer.main
from typer.core import TyperGroup, TyperOption

from kgreason.cli import app

ROOT = Path(__file__).parents[1]
PAGES = sorted(
    [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md"), *ROOT.glob("graphs/*.md"), *ROOT.glob("datasets/*.md")]
)
FENCE = re.compile(r"^```(\w*)[^\n]*\n(.*?)^```", re.MULTILINE | re.DOTALL)


def name_of(page: Path) -> str:
    return str(page.relative_to(ROOT))


def blocks(language: str) -> list[tuple[str, str]]:
    """Every fenced block of a language, with the page it stands on."""
    return [(name_of(p), body) for p in PAGES for kind, body in FENCE.findall(p.read_text("utf-8")) if kind == language]


def shell_lines() -> Iterator[tuple[str, list[str]]]:
    """Every command line on the pages: in shell blocks, indented, and in the code spans of tables and prose."""
    for page in PAGES:
        text = page.read_text("utf-8")
        spans = re.findall(r"`((?:kgreason|make) [^`]+)`", FENCE.sub("", text))
        indented = re.findall(r"^    ((?:kgreason|make) .+)$", text, re.MULTILINE)
        fenced = [line for kind, body in FENCE.findall(text) if kind == "bash" for line in body.splitlines()]
        for line in [*spans, *indented, *fenced]:
            words = shlex.split(line.partition(" > ")[0], comments=True)
            if words:
                yield name_of(page), words


def command(words: list[str]) -> tuple[Any, list[str]]:
    """The command that the words name, and the words after it."""
    found: Any = typer.main.get_command(app)
    rest = list(words)
    while isinstance(found, TyperGroup):
        assert rest, f"'kgreason {' '.join(words)}' names a group and no command"
        assert rest[0] in found.commands, f"there is no command 'kgreason {' '.join(words)}'"
        found = found.commands[rest.pop(0)]
    return found, rest


def leaves(group: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, Any]]:
    if isinstance(group, TyperGroup):
        for name, child in group.commands.items():
            yield from leaves(child, (*path, name))
    else:
        yield " ".join(path), group


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_link_leads_somewhere(page: Path) -> None:
    text = FENCE.sub("", page.read_text("utf-8"))
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if not target.startswith(("http://", "https://", "#", "mailto:")):
            assert (page.parent / target.partition("#")[0]).exists(), f"{name_of(page)} links to {target}"


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_file_that_is_named_exists(page: Path) -> None:
    for path in re.findall(r"\b((?:kgreason|tests|experiments|docs|datasets)/[\w/.-]*[\w/])", page.read_text("utf-8")):
        assert (ROOT / path).exists(), f"{name_of(page)} names {path}"


def test_every_page_is_in_the_menu() -> None:
    menu = set(re.findall(r"^  - .+: ([\w-]+\.md)$", (ROOT / "mkdocs.yml").read_text("utf-8"), re.MULTILINE))
    assert menu == {page.name for page in (ROOT / "docs").glob("*.md")}


def test_every_command_and_option_that_is_named_exists() -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
    checked = 0
    for page, words in shell_lines():
        first = Path(words[0]).name
        if first == "make":
            assert {w for w in words[1:] if "=" not in w} <= targets, f"{page}: {' '.join(words)}"
        if first != "kgreason" or words[1].startswith("--"):
            continue
        found, rest = command(words[1:])
        options = {flag for option in found.params for flag in (*option.opts, *option.secondary_opts)} | {
            "--help",
            "-h",
        }
        used = {word.partition("=")[0] for word in rest if re.match(r"--?[a-zA-Z]", word)}
        assert used <= options, f"{page}: {' '.join(words)}: there is no option {used - options}"
        checked += 1
    assert checked > 10


def option_row(option: TyperOption) -> str:
    flags = ", ".join(f"`{flag}`" for flag in (*option.opts, *option.secondary_opts))
    value = "" if option.is_flag else f" {option.metavar or str(option.name).upper()}"
    default = "" if option.default in (None, False, True, "", [], ()) else f"`{option.default}`"
    return f"| {flags}{value} | {option.help or ''} | {default} |".replace("NAME|DIR|FILE", "NAME\\|DIR\\|FILE")


def described(name: str, found: Any) -> str:
    """One command as Markdown: its help, and a table of its options."""
    arguments = [p for p in found.params if not isinstance(p, TyperOption)]
    words = [f"{p.metavar or str(p.name).upper()}{'…' * (p.nargs == -1)}" for p in arguments]
    asked = [word if p.required else f"[{word}]" for p, word in zip(arguments, words, strict=True)]
    rows = [option_row(option) for option in found.params if isinstance(option, TyperOption)]
    table = "\n".join(["| option | what | default |", "|---|---|---|", *rows])
    return f"## `{' '.join(['kgreason', name, *asked])}`\n\n{found.help.strip()}\n\n{table}\n"


def with_reference(page: str) -> str:
    """The page of the command line, its second half written anew from the commands themselves."""
    parts = [described(name, found) for name, found in leaves(typer.main.get_command(app))]
    return page.partition("\n## `kgreason ")[0].rstrip() + "\n\n" + "\n".join(parts)


def test_the_command_reference_is_complete() -> None:
    page = (ROOT / "docs" / "commands.md").read_text("utf-8")
    assert page == with_reference(page), "a command has changed; write its page anew: python tests/test_docs.py"


def test_every_name_of_the_reference_exists() -> None:
    names = re.findall(r"^::: ([\w.]+)$", (ROOT / "docs" / "api.md").read_text("utf-8"), re.MULTILINE)
    assert names
    for name in names:
        module, _, attribute = name.rpartition(".")
        try:
            import_module(name)
        except ModuleNotFoundError:
            assert hasattr(import_module(module), attribute), name


@pytest.mark.parametrize(("page", "body"), blocks("toml"))
def test_every_piece_of_toml_is_valid(page: str, body: str) -> None:
    assert tomllib.loads(body.replace("…", '"…"')), page


@pytest.mark.parametrize(("page", "body"), blocks("python"))
def test_every_piece_of_python_compiles(page: str, body: str) -> None:
    compile(body, page, "exec")


def test_the_tutorial_of_the_engineer_runs(capsys: pytest.CaptureFixture[str]) -> None:
    scope: dict[str, object] = {}
    for page, body in blocks("python"):
        if page == "docs/engineer.md" and "kr.load" not in body:
            exec(compile(body, page, "exec"), scope)
    told = capsys.readouterr().out
    assert "('treats', 'headache')" in told
    assert "LogicGraph('1'" in told


def test_a_store_is_read_with_numpy_alone(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    [body] = [body for page, body in blocks("python") if page == "docs/graphs.md" and "np.fromfile" in body]
    exec(compile(body, "docs/graphs.md", "exec"), {})
    assert capsys.readouterr().out.splitlines() == ["earth orbits sun", "moon orbits earth"]


if __name__ == "__main__":
    reference = ROOT / "docs" / "commands.md"
    reference.write_text(with_reference(reference.read_text("utf-8")), "utf-8")

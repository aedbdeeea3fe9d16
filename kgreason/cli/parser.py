"""Train the dependency parser, measure it, and see what it says."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from kgreason.cli.console import print_json, read_jsonl, say, set_quiet
from kgreason.errors import DataError

if TYPE_CHECKING:
    from kgreason.parse.sentence import Sentence

_parser = typer.Typer(name="parser", help="Train the dependency parser, measure it, use it.", no_args_is_help=True)
_Json = Annotated[bool, typer.Option("--json", help="Print one JSON object per result.")]
_Quiet = Annotated[bool, typer.Option("-q", "--quiet", help="No progress.")]
_Threads = Annotated[int, typer.Option(help="CPU threads; 0 leaves it to torch.", min=0)]
_Weights = Annotated[str, typer.Option(metavar="FILE", help="A trained parser; `english` is the one that ships.")]
_Treebank = Annotated[Path, typer.Option(metavar="DIR", help="A treebank's folder: *-train*.conllu, *-dev*, *-test*.")]


def register(app: typer.Typer) -> None:
    """Add the commands of this file to `app`."""
    app.add_typer(_parser)


@_parser.command("train")
def train(  # noqa: PLR0913 - one argument for each option
    data: _Treebank,
    out: Annotated[Path, typer.Option(metavar="FILE", help="Where to write the parser.")],
    model: Annotated[str, typer.Option(help="The frozen language model: minilm, a folder, or a Hub name.")] = "minilm",
    layers: Annotated[int, typer.Option(help="How many of its layers to read, embeddings included.", min=1)] = 7,
    wordnet: Annotated[Path, typer.Option(metavar="DIR", help="WordNet's files, for lemmas.")] = Path(
        "/usr/share/wordnet"
    ),
    epochs: Annotated[int, typer.Option(help="Passes over the treebank.", min=1)] = 16,
    seed: Annotated[int, typer.Option(help="Of weights, order and dropout.")] = 0,
    threads: _Threads = 0,
    quiet: _Quiet = False,
) -> None:
    """Train a parser on the train split, choosing the epoch on the dev split. About 15 minutes on one core."""
    from kgreason.runtime import tune

    tune(threads)
    from kgreason.parse.fit import Plan
    from kgreason.parse.trainer import train_parser

    set_quiet(quiet)
    train_parser(data, out, model, layers, wordnet, Plan(epochs=epochs, seed=seed), say)


@_parser.command("eval")
def evaluate(
    data: _Treebank,
    split: Annotated[str, typer.Option(help="Which split: train, dev or test.")] = "dev",
    weights: _Weights = "english",
    threads: _Threads = 0,
    json: _Json = False,
) -> None:
    """Measure a parser: with the treebank's words, and on running text with its own words and sentences."""
    from kgreason.runtime import tune

    tune(threads)
    from kgreason.parse import DependencyParser
    from kgreason.parse.conllu import read
    from kgreason.parse.score import score_gold_words, score_raw_text
    from kgreason.parse.trainer import find

    entries = list(read(find(data, split)))
    parser = DependencyParser(weights)
    for words, scores in (("gold", score_gold_words(parser, entries)), ("own", score_raw_text(parser, entries))):
        if json:
            print_json({"split": split, "words": words, **{name: round(value, 5) for name, value in scores.items()}})
        else:
            shown = "  ".join(f"{name} {100 * value:.2f}" for name, value in scores.items())
            typer.echo(f"{words:>4} words  {shown}")


@_parser.command("polarity")
def polarity(
    source: Annotated[
        Path | None, typer.Argument(metavar="FILE", help="Marked sentences; default: those that ship.")
    ] = None,
    weights: _Weights = "english",
    wrong: Annotated[bool, typer.Option("--wrong", help="List the sentences with a wrong word.")] = False,
    threads: _Threads = 0,
    json: _Json = False,
) -> None:
    """Measure how often words are given the polarity that they are marked with, by operator."""
    from kgreason.runtime import tune

    tune(threads)
    from kgreason.parse import DependencyParser, SemanticParser
    from kgreason.parse.gold import accuracies, judge_marks, read_marks

    judged = judge_marks(SemanticParser(DependencyParser(weights)), read_marks(source))
    for part, operator, right, words in accuracies(judged):
        if json:
            print_json({"part": part, "operator": operator, "right": right, "words": words})
        else:
            typer.echo(f"{part:6} {operator:18} {100 * right / words:6.1f} %  {right} of {words}")
    for sentence in judged if wrong else ():
        if sentence.wrong and json:
            print_json({"text": sentence.marked.text, "wrong": {w: p.name.lower() for w, p in sentence.wrong}})
        elif sentence.wrong:
            typer.echo(f"{sentence.marked.text}  {', '.join(f'{w}: {p.name.lower()}' for w, p in sentence.wrong)}")


@_parser.command("parse")
def parse(
    texts: Annotated[list[str] | None, typer.Argument(help="Texts to parse.")] = None,
    source: Annotated[
        str, typer.Option("--input", metavar="FILE", help='JSON lines with a field "text"; - for stdin.')
    ] = "",
    weights: _Weights = "english",
    threads: _Threads = 0,
    json: _Json = False,
) -> None:
    """Parse texts and print them as CoNLL-U, or with --json one object per text."""
    from kgreason.runtime import tune

    if not texts and not source:
        raise DataError("There is nothing to parse. Give texts, or --input FILE with JSON lines, or --input -.")
    tune(threads)
    from kgreason.parse import DependencyParser

    parser = DependencyParser(weights)
    for text in texts or []:
        _print(parser.parse_texts([text])[text], text, {}, json)
    for number, row in read_jsonl(source) if source else ():
        uid = {"uid": row["uid"]} if isinstance(row, dict) and "uid" in row else {}
        given = row.get("text") if isinstance(row, dict) else None
        if isinstance(given, str):
            _print(parser.parse_texts([given])[given], given, uid, json)
            continue
        fault = row if isinstance(row, DataError) else f"{source}, line {number} has no field 'text' that is a text."
        if json:
            print_json({**uid, "error": str(fault)})
        else:
            say(str(fault))


def _print(found: "list[Sentence]", text: str, uid: dict[str, object], json: bool) -> None:
    from kgreason.parse.conllu import write
    from kgreason.parse.sentence import clean

    if not json:
        write([(clean(text), sentence) for sentence in found], sys.stdout)
        return
    columns = ("words", "lemmas", "upos", "xpos", "governors", "relations")
    rows = [{**{name: getattr(s, name) for name in columns}, "spans": s.spans.tolist()} for s in found]
    print_json({**uid, "sentences": rows})

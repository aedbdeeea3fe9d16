"""Two pages that go with every run: what the model is and may be used for, and what data it has seen.

All that they say is taken from the run: its config, the manifests of its data and of its graph, and its metrics.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from kgreason.data import Example, KnowledgeGraph
from kgreason.errors import DataError
from kgreason.experiment import record
from kgreason.experiment.build import Front
from kgreason.experiment.config import ROOMS, ExperimentConfig
from kgreason.tasks import Split, Splits
from kgreason.tasks.manifest import Manifest, open_manifest

MODEL_CARD, DATA_CARD = "MODEL_CARD.md", "DATA_CARD.md"
#: What each task is, and what its answers do not mean.
_USE = {
    "nli": (
        "To say whether a premise entails a hypothesis, contradicts it, or neither.",
        "A label says how two texts relate. It does not say that either is true.",
    ),
    "choice": (
        "To pick one of the choices that come with a question.",
        "One choice is always picked, even if all are wrong.",
    ),
    "kgqa": (
        "To answer questions by walking over the knowledge graph.",
        "What the graph does not hold cannot be found, and what is wrong in it is repeated.",
    ),
    "relation": (
        "To say how two entities of a story are related.",
        "One of the known relations is always named, even if the story holds none.",
    ),
}
#: Metrics that are shown if a test has them, most telling first.
_SHOWN = ("accuracy", "macro_f1", "hits@1", "ceiling.hits@1", "mrr", "f1", "exact", "ece", "loss")
_MOST_LABELS = 12


def model_card(
    config: ExperimentConfig, folder: Path, knowledge: KnowledgeGraph, splits: Splits, metrics: Mapping[str, Any]
) -> str:
    """Return the model's card, as Markdown.

    Args:
        config: The experiment.
        folder: Of the run.
        knowledge: Its graph.
        splits: What it drew from.
        metrics: What stands in `metrics.json`.
    """
    use, meaning = _USE.get(config.task["name"], ("The task that the config names.", ""))
    lines = [f"# {config.title}", "", use, "", "| | |", "|---|---|"]
    lines += [f"| {key} | {value} |" for key, value in _facts(config, folder, knowledge, splits, metrics)]
    lines += ["", "## What it reaches", "", *_scores(metrics)]
    lines += ["", "## Limits", "", *(f"- {limit}" for limit in _limits(config, splits, metrics, meaning))]
    lines += ["", "## What it cost", "", _cost(metrics)]
    lines += ["", "## How to repeat it", "", "```bash", f"kgreason reproduce {folder.name}", "```", ""]
    lines.append(f"Data, their origin and their licences: [{DATA_CARD}]({DATA_CARD}). Packages, code and machine: ")
    lines[-1] += "`requirements.lock` and `provenance.json`."
    return "\n".join(lines) + "\n"


def data_card(config: ExperimentConfig, knowledge: KnowledgeGraph, splits: Splits) -> str:
    """Return the card of the data and the graph of a run, as Markdown."""
    lines = [f"# Data of: {config.title}", ""]
    for name, used in _datasets(splits).items():
        lines += [*_dataset(name, used), ""]
    lines += ["## Splits", "", "| split | drawn from | examples | words in an example, mean | answers |"]
    lines.append("|---|---|---|---|---|")
    for name, split in _named(splits):
        words = sum(len(text.split()) for e in split.examples for text in e.texts) / max(1, len(split))
        lines.append(f"| {name} | {split.name or '–'} | {len(split):,} | {words:.1f} | {_answers(split)} |")
    lines += ["", "No example of train or dev has the texts of one of a test."]
    if isinstance(share := config.task.get("dev"), float):
        lines[-1] += f" {100 * share:g} % of what can be trained on is held out as dev, by the hash of its first text."
    if spoil := config.task.get("spoil"):
        lines.append(f"The examples were changed on purpose, as a control: `{spoil}`.")
    lines += ["", "## Knowledge graph", "", *_graph(config, knowledge)]
    return "\n".join(lines) + "\n"


def write_data_card(config: ExperimentConfig, folder: Path, front: Front, splits: Splits) -> None:
    """Write the data's card into the folder of a run, at once."""
    record.write_text(folder / DATA_CARD, data_card(config, front.knowledge, splits))


def write_model_card(
    config: ExperimentConfig, folder: Path, front: Front, splits: Splits, metrics: Mapping[str, Any]
) -> None:
    """Write the model's card into the folder of a run, at once."""
    record.write_text(folder / MODEL_CARD, model_card(config, folder, front.knowledge, splits, metrics))


def _facts(
    config: ExperimentConfig, folder: Path, knowledge: KnowledgeGraph, splits: Splits, metrics: Mapping[str, Any]
) -> Iterator[tuple[str, str]]:
    tables = config.as_tables()
    yield "rooms", " → ".join(f"{tables[room]['name']}" for room in ROOMS)
    yield "source", _cell(config.source)
    language = config.encode.get("language")
    if language:
        name = language if isinstance(language, str) else language.get("model") or language.get("name")
        yield "language model", f"{name}, {_tuning(language)}"
    yield "graph", _cell(str(knowledge.about.get("title") or knowledge.about.get("name") or config.knowledge["name"]))
    trained = f"{metrics['trainable']:,}" if "trainable" in metrics else "not counted"
    course = metrics["train"]
    if config.train["name"] == "none" or not course["history"]:
        yield "trained", "nothing: tested as it was built"
    else:
        yield "trained", f"{trained} numbers on {len(splits.train):,} examples; the best of {course['epochs']} epochs"
    yield "seed", str(config.seed)
    yield "weights", f"`model.safetensors` in `{folder.name}`"
    yield "licence", "code: Apache-2.0; the weights were made from the data, the graph and the model named here"


def _tuning(language: Any) -> str:
    tune = language.get("tune", "") if isinstance(language, Mapping) else ""
    return {"": "as it comes", "frozen": "frozen", "full": "tuned in full"}.get(str(tune), f"tuned: {tune}")


def _scores(metrics: Mapping[str, Any]) -> Iterator[str]:
    tests = {"dev (used to choose)": metrics.get("dev", {}), **metrics["test"]}
    names = [name for name in _SHOWN if any(name in scores for scores in tests.values())]
    yield f"| test | examples | {' | '.join(names)} |"
    yield "|---|---|" + "---|" * len(names)
    for test, scores in tests.items():
        if scores:
            size = f"{int(scores['size']):,}" if "size" in scores else "–"
            yield f"| {test} | {size} | {' | '.join(_score(scores, name) for name in names)} |"
    yield ""
    yield "In brackets: 95 % intervals over the examples of the test. One seed; other seeds give other numbers."


def _score(scores: Mapping[str, float], name: str) -> str:
    if name not in scores:
        return "–"
    if name == "loss":
        return f"{scores[name]:.3f}"
    told = f"{100 * scores[name]:.1f} %"
    if f"{name}.low" in scores:
        told += f" [{100 * scores[f'{name}.low']:.1f}, {100 * scores[f'{name}.high']:.1f}]"
    return told


def _limits(config: ExperimentConfig, splits: Splits, metrics: Mapping[str, Any], meaning: str) -> Iterator[str]:
    yield "Tested on the data above and on nothing else; other texts and other graphs were not tried."
    if meaning:
        yield meaning
    for name, split in _named(splits):
        share = _majority(split)
        if name.startswith("test") and share:
            yield f"Always saying '{share[0]}' is right on {100 * share[1]:.1f} % of {name}."
    for test, scores in metrics["test"].items():
        if "ece" in scores:
            yield f"On {test} its probabilities are off by {100 * scores['ece']:.1f} points in the mean (ECE)."
    if config.knowledge["name"] == "perturb" or config.ground["name"] == "perturb" or "spoil" in config.task:
        yield "**A control: its graph or its texts were spoilt on purpose. Not for use.**"
    yield "Texts are taken to be English. Whether it treats groups of people alike was not measured here."
    yield "Not made for decisions about people, nor to be relied on where an error does harm."


def _cost(metrics: Mapping[str, Any]) -> str:
    told = f"{metrics['seconds']:,.0f} s by the clock, {metrics['cpu_seconds']:,.0f} s of the processor, "
    told += f"{metrics['peak_memory_mb']:,.0f} MiB of memory at its peak"
    energy = metrics.get("energy")
    if not energy:
        return told + "."
    return f"{told}; {energy['watt_hours']:.3g} Wh, {energy['how']}. {energy['note']}"


def _datasets(splits: Splits) -> dict[str, list[str]]:
    """Return each data set with those of its splits that were drawn from."""
    found: dict[str, list[str]] = {}
    for _, split in _named(splits):
        for spec in filter(None, split.name.split("+")):
            name, _, part = spec.rpartition(":")
            used = found.setdefault(name or spec, [])
            if name and part not in used:
                used.append(part)
    return found


def _dataset(name: str, used: Sequence[str]) -> Iterator[str]:
    try:
        manifest = open_manifest(name)
    except DataError:  # made by the run itself, or no longer there
        manifest = Manifest(name=name)
    yield f"## {manifest.title or name}"
    yield ""
    yield f"- name: `{name}`" + (f"; splits used: {', '.join(used)}" if used else "")
    for what in ("origin", "url", "licence", "note"):
        yield f"- {what}: {getattr(manifest, what) or 'not stated'}"
    named = {value for part in used for value in manifest.splits.get(part, {}).values() if isinstance(value, str)}
    for file in manifest.files:
        if file.path in named or not used:
            yield f"- file: `{file.path}`, sha256 `{file.sha256 or 'not stated'}`"


def _graph(config: ExperimentConfig, knowledge: KnowledgeGraph) -> Iterator[str]:
    about = knowledge.about
    yield f"- name: {_cell(str(about.get('title') or about.get('name') or config.knowledge['name']))}"
    for what in ("version", "origin", "url", "licence", "changes", "note"):
        if what in about or what == "licence":
            yield f"- {what}: {about.get(what) or 'not stated'}"
    yield f"- size: {knowledge!r}"
    yield f"- used as: `{config.knowledge}`, grounded by `{config.ground['name']}`"


def _named(splits: Splits) -> list[tuple[str, Split]]:
    tests = [(f"test {name}", split) for name, split in splits.test.items()]
    return [(name, split) for name, split in [("train", splits.train), ("dev", splits.dev), *tests] if len(split)]


def _answers(split: Split) -> str:
    """Return how often each answer is the right one; of sets, how many answers there are."""
    targets = [e.target for e in split.examples]
    if any(isinstance(target, frozenset) for target in targets):
        sizes = [len(target) for target in targets if isinstance(target, frozenset)]
        return f"sets of {sum(sizes) / len(sizes):.1f} entities in the mean; {sizes.count(0):,} empty"
    counts = Counter(map(_target, split.examples))
    shown = [f"{_cell(label)} {100 * n / len(split):.1f} %" for label, n in counts.most_common(_MOST_LABELS)]
    return ", ".join(shown) + (f" and {len(counts) - _MOST_LABELS} more" if len(counts) > _MOST_LABELS else "")


def _majority(split: Split) -> tuple[str, float] | None:
    counts = Counter(_target(e) for e in split.examples if isinstance(e.target, str))
    return (label_count[0][0], label_count[0][1] / len(split)) if (label_count := counts.most_common(1)) else None


def _target(example: Example) -> str:
    target = example.target
    return f"choice {target + 1}" if isinstance(target, int) else str(target)


def _cell(text: str) -> str:
    """Return a text as a cell of a table takes it."""
    return " ".join(text.replace("|", "\\|").split())

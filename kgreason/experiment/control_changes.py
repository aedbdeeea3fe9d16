"""What each control changes in the file of an experiment, whatever its task; or why it does not apply."""

import inspect
from collections.abc import Mapping
from functools import partial
from typing import Any

from kgreason.decode import DECODERS
from kgreason.experiment.config import ExperimentConfig
from kgreason.experiment.control import Overrides, Way

_NO_GNN = "there is no message passing to replace"
#: Decoders that read the graph of the whole run, and not what grounding brought in.
_WALK = ("instruct", "similar", "transfer")
#: Grounders that bring in no facts.
_BARE = ("link", "nothing", "seeds")
#: Grounders that add edges between words, and no nodes.
_EDGES_ALONE = ("align", "edits")
#: Heads that read the cycles of one decoder; `label` stands in for them where that decoder is taken away.
_OF_CYCLES = ("entailment", "gated", "proof", "relation")


def walks(config: ExperimentConfig) -> bool:
    """Return whether the decoder walks the whole graph by itself."""
    return config.decode["name"] in _WALK


def spoilt(mode: str, share: float | None = None) -> Way:
    """Spoil the facts of the graph: where it comes from for a decoder that walks it, else where it is grounded."""

    def way(config: ExperimentConfig) -> Overrides | str:
        how: dict[str, Any] = {"mode": mode} | ({} if share is None else {"share": share})
        if walks(config):
            return {"knowledge": {"name": "perturb", "around": _bare(config.knowledge)} | how}
        if _grounder(config) in _BARE:
            return "grounding brings in no facts here."
        if _grounder(config) == "stated" and mode == "tails":
            return "the facts of an example stand in its text, each relation about once; see rewired."
        name = "scramble" if _grounder(config) == "stated" else "perturb"
        return {"ground": {"name": name, "around": config.ground} | how}

    return way


def no_graph(config: ExperimentConfig) -> Overrides | str:
    """Ground in nothing: the same model, with the words of the text as its graph; of a walk, what memory answers."""
    if walks(config) and config.encode["name"] != "fused":
        return "the decoder walks the graph, and without one it has nothing to answer with; see no-facts."
    if walks(config):
        shown = {"collate.mask": False} if config.collate.get("mask") else {}  # it must see what is asked about
        return {"ground": {"name": "nothing"}, "decode": {"name": "pool"}, "answer": {"name": "recall"}} | shown
    if _grounder(config) == "edits":
        return "grounding finds the edits that the decoder runs on; no-facts takes the facts away and leaves these."
    if config.ground["name"] == "nothing":
        return "there is no graph already."
    return {"ground": {"name": "nothing"}}


def swapped(config: ExperimentConfig) -> Overrides | str:
    """Give each example what was brought in for another; of a walk, let it start where another does."""
    if walks(config):
        return spoil("swap_seeds", ("kgqa",))(config)
    if _grounder(config) == "edits":
        return "the edits of a pair are made of its own words; those of another pair do not fit."
    return _around("swap", config)


def blanked(config: ExperimentConfig) -> Overrides | str:
    """Take the text off the nodes of the graph: no words, no vectors of entities."""
    if walks(config):
        return "a walk reads no text of entities."
    entities = _name(config.encode.get("entities"), "none")
    if _grounder(config) in _EDGES_ALONE and entities == "none":
        return "grounding adds edges between words, and no nodes that could have a text."
    found = _around("blank", config)
    if isinstance(found, str) or entities == "none":
        return found
    return found | {"encode.entities": {"name": "none"}}


def edgeless(config: ExperimentConfig) -> Overrides | str:
    """Keep the nodes that grounding brings in, and none of its edges."""
    if walks(config):
        return "a walk has nothing but edges; see no-facts."
    if _grounder(config) in _EDGES_ALONE:
        return "grounding adds edges alone; without them it is no-graph."
    return _around("edgeless", config)


def _around(name: str, config: ExperimentConfig) -> Overrides | str:
    if config.ground["name"] == "nothing":
        return "there is no graph."
    return {"ground": {"name": name, "around": config.ground}}


def shown(how: str) -> Way:
    """Show each question of a test a graph of its own; see `kgreason.experiment.shown`."""

    def way(config: ExperimentConfig) -> Overrides | str:
        if config.task["name"] != "kgqa":
            return f"gold facts are known of questions over a graph alone, and this is {config.task['name']}."
        if not walks(config) and _grounder(config) in _BARE:
            return "grounding brings in no facts here."
        return {"task.shown": how}

    return way


def no_graph_at_test(config: ExperimentConfig) -> Overrides | str:
    """The same, for a trained run; a walk has no other weights to answer with."""
    if walks(config):
        return "a walk that was trained has nothing to answer with when there is no graph; see no-facts."
    return no_graph(config)


def spoil(how: str, tasks: tuple[str, ...] = (), share: float | None = None) -> Way:
    """Spoil the text or the labels: the key `spoil` of the section `[task]`."""

    def way(config: ExperimentConfig) -> Overrides | str:
        if tasks and config.task["name"] not in tasks:
            return f"it is for the task {' or '.join(tasks)}, and this is {config.task['name']}."
        if "spoil" in config.task:
            return "what it is asked is spoilt already."
        return {"task.spoil": how if share is None else {"how": how, "share": share}}

    return way


def language_model(config: ExperimentConfig) -> Mapping[str, Any] | str:
    """Return the table of the language model, or why there is none."""
    language = config.encode.get("language")
    if config.encode["name"] != "fused" or language is None:
        return f"there is no language model of ours: encode = {config.encode['name']}."
    table = {"name": language} if isinstance(language, str) else dict(language)
    return table if table["name"] == "pretrained" else f"nothing is pretrained here: language = {table['name']}."


def lm_frozen(config: ExperimentConfig) -> Overrides | str:
    """Train nothing of the language model."""
    language = language_model(config)
    if isinstance(language, str):
        return language
    if language.get("tune", "frozen") == "frozen":
        return "the language model is frozen already."
    kept = {key: value for key, value in language.items() if key != "layers"}
    return {"encode.language": kept | {"tune": "frozen"}}


def lm_random(config: ExperimentConfig) -> Overrides | str:
    """Draw the weights of the language model anew; what is trained of it stays so."""
    language = language_model(config)
    if isinstance(language, str):
        return language
    return {"encode.language": dict(language) | {"weights": "random"}}


def graph_only(config: ExperimentConfig) -> Overrides | str:
    """Leave the language model out: no token says anything."""
    language = language_model(config)
    if isinstance(language, str):
        return language
    kept = {key: value for key, value in language.items() if key == "model"}
    found: Overrides = {"encode.language": {"name": "nothing"} | kept | {"width": config.encode.get("dim", 128)}}
    if _name(config.encode.get("entities"), "none") == "labels":  # which the language model reads, too
        found["encode.entities"] = {"name": "learned"}
    return found


def counted(how: str) -> Way:
    """Let the graph reach the answer as one number alone: no message passing, no cycles, no entities."""

    def way(config: ExperimentConfig) -> Overrides | str:
        if config.encode["name"] not in ("fused", "nothing"):
            return f"it is a part of our own encoder, and this is encode = {config.encode['name']}."
        if config.task["name"] == "kgqa":
            return "a count says yes or no to an answer that is given, and here entities are to be found."
        if how == "paths" and config.task["name"] == "relation":
            return "its paths run between two texts, and here all facts are in one."
        if config.ground["name"] == "nothing":
            return "there is no graph to count."
        parts = {"graph": {"name": "none"}, "fuse": {"name": how}, "entities": {"name": "none"}}
        if config.encode["name"] == "nothing":
            return {"encode": {"name": "fused", "language": {"name": "nothing", "width": 64}} | parts} | pooled(config)
        return {f"encode.{key}": table for key, table in parts.items()} | pooled(config)

    return way


def without_edges(config: ExperimentConfig) -> Overrides | str:
    """Replace message passing by a perceptron of the same depth."""
    graph = _message_passing(config)
    if isinstance(graph, str):
        return graph
    kept = {key: value for key, value in graph.items() if key in ("layers", "dropout")}
    return {"encode.graph": {"name": "mlp"} | kept}


def frozen_graph(config: ExperimentConfig) -> Overrides | str:
    """Train nothing of the message passing."""
    graph = _message_passing(config)
    return graph if isinstance(graph, str) else {"encode.graph": {"name": "frozen", "around": dict(graph)}}


def _message_passing(config: ExperimentConfig) -> Mapping[str, Any] | str:
    graph = config.encode.get("graph", "none")
    table = {"name": graph} if isinstance(graph, str) else dict(graph)
    if config.encode["name"] != "fused" or table["name"] == "none":
        return f"{_NO_GNN}: encode = {config.encode['name']}, graph = {table['name']}."
    if table["name"] in ("mlp", "frozen"):
        return f"{_NO_GNN} that is trained: graph = {table['name']}."
    return table


def cycles_shuffled(config: ExperimentConfig) -> Overrides | str:
    """Let each cycle look for what another is for."""
    if config.decode["name"] not in ("instruct", "transfer"):
        return f"the cycles of decode = {config.decode['name']} have no weights of their own that could change places."
    reads = config.decode.get("control", "steps" if config.decode["name"] == "transfer" else "chained")
    table = {"name": reads} if isinstance(reads, str) else dict(reads)
    if table["name"] not in ("steps", "chained"):
        return "all cycles share their weights; there is no order to shuffle."
    return {"decode.control": table | {"order": "shuffled"}}


def no_cycles(config: ExperimentConfig) -> Overrides | str:
    """Look at the graph once."""
    if walks(config):
        return "a walk without hops answers with what the question names."
    if config.decode["name"] == "pool":
        return "there are no cycles already."
    if config.encode["name"] == "nothing":
        return "nothing is encoded, and one look would see nothing."
    return pooled(config)


def pooled(config: ExperimentConfig) -> Overrides:
    """Return the overrides by which a decoder gives way to one look, and a head that read its cycles to labels."""
    head = {"answer": {"name": "label"}} if config.answer["name"] in _OF_CYCLES else {}
    return {"decode": {"name": "pool"}} | head


def cycles(many: int) -> Way:
    """Run no more than so many cycles."""
    return partial(_fewer_cycles, many)


def cycles_at_test(many: int) -> Way:
    """The same, for a trained run: only where no cycle has weights of its own."""

    def way(config: ExperimentConfig) -> Overrides | str:
        reads = config.decode.get("control")
        name = reads.get("name") if isinstance(reads, Mapping) else reads
        if config.decode["name"] in ("instruct", "transfer") and name != "recurrent":
            return "each cycle has weights of its own; to run fewer, train with fewer."
        return _fewer_cycles(many, config)

    return way


def _fewer_cycles(many: int, config: ExperimentConfig) -> Overrides | str:
    parameter = inspect.signature(DECODERS.get(config.decode["name"])).parameters.get("cycles")
    if parameter is None:
        return f"decode = {config.decode['name']} has no number of cycles."
    most = config.decode.get("cycles", parameter.default)
    if not isinstance(most, int) or most <= many:
        return f"there are no more than {most} cycles already."
    return {"decode.cycles": many}


def _name(choice: Any, otherwise: str) -> str:
    """Return the name of a choice that may be written as its name alone, or not at all."""
    return str(choice.get("name", otherwise)) if isinstance(choice, Mapping) else str(choice or otherwise)


def _grounder(config: ExperimentConfig) -> str:
    """Return the grounder that does the work, inside what is wrapped around it."""
    table: Any = config.ground
    while isinstance(table, Mapping) and table.get("around"):
        table = table["around"]
    return _name(table, "")


def _bare(table: Mapping[str, Any]) -> str | dict[str, Any]:
    """Return a graph's table, or its name if that is all there is."""
    return table["name"] if set(table) == {"name"} else dict(table)

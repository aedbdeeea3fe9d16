"""What each control changes in the file of an experiment, whatever its task; or why it does not apply."""

import inspect
from collections.abc import Mapping
from functools import partial
from typing import Any

from kgreason.decode import DECODERS
from kgreason.experiment.config import ExperimentConfig
from kgreason.experiment.control import Overrides, Way

#: Decoders that read the graph of the whole run, and not what grounding brought in.
_WALK = ("instruct", "similar", "transfer")
#: Grounders that bring in no facts.
_BARE = ("link", "nothing", "seeds")
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
        if config.ground["name"] in _BARE:
            return "grounding brings in no facts here."
        if config.ground["name"] == "stated":
            return "the facts stand in the text of each example, and not in the graph."
        return {"ground": {"name": "perturb", "around": config.ground} | how}

    return way


def no_graph(config: ExperimentConfig) -> Overrides | str:
    """Ground in nothing: the same model, with the words of the text as its graph."""
    if walks(config):
        return "the decoder walks the graph, and without one it has nothing to answer with; see no-facts."
    if config.ground["name"] == "edits":
        return "grounding finds the edits that the decoder runs on; no-facts takes the facts away and leaves these."
    if config.ground["name"] == "nothing":
        return "there is no graph already."
    return {"ground": {"name": "nothing"}}


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
    return {"name": language} if isinstance(language, str) else dict(language)


def lm_frozen(config: ExperimentConfig) -> Overrides | str:
    """Train nothing of the language model."""
    language = language_model(config)
    if isinstance(language, str):
        return language
    if language.get("tune", "frozen") == "frozen":
        return "the language model is frozen already."
    kept = {key: value for key, value in language.items() if key != "layers"}
    return {"encode.language": kept | {"tune": "frozen"}}


def no_cycles(config: ExperimentConfig) -> Overrides | str:
    """Look at the graph once."""
    if walks(config):
        return "a walk without hops answers with what the question names."
    if config.decode["name"] == "pool":
        return "there are no cycles already."
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


def _bare(table: Mapping[str, Any]) -> str | dict[str, Any]:
    """Return a graph's table, or its name if that is all there is."""
    return table["name"] if set(table) == {"name"} else dict(table)

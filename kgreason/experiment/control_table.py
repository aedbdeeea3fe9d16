"""The table of controls: what each asks, why it is needed, and who has shown that."""

from kgreason.experiment import control_changes as change
from kgreason.experiment.control import Control, Way

_RAMAN = "Raman et al. 2021, arXiv:2010.12872"
_GSC = "Wang et al. 2022, arXiv:2110.03192"
_OWN = "own"


def _both(name: str, question: str, why: str, source: str, way: Way) -> Control:
    return Control(name, question, why, source, train=way, test=way)


def _graph() -> tuple[Control, ...]:
    wrong = "Models with a graph kept their scores on graphs whose facts were wrong."
    gone = "How the score falls with what is missing tells whether facts carry it, and how complete a graph must be."
    return (
        Control(
            "no-graph",
            "Does the graph help at all?",
            "The same model without it is the only fair comparison; many questions are right without a graph, and some "
            "wrong because of it.",
            "SalKG, Chan et al. 2021, arXiv:2104.08793",
            train=change.no_graph,
            test=change.no_graph_at_test,
        ),
        _both(
            "no-facts",
            "Does linking alone help, without any fact?",
            "A graph brings names and structure, too: what is left without facts was not knowledge.",
            _OWN,
            change.spoilt("drop", 1.0),
        ),
        _both("tails-shuffled", "Is it these facts, or any?", wrong, _RAMAN, change.spoilt("tails")),
        _both("relations-shuffled", "Do relations matter?", wrong, _RAMAN, change.spoilt("relations")),
        _both("rewired", "Does any structure matter?", wrong, _RAMAN, change.spoilt("rewire")),
        _both("drop-10", "What if a tenth of the facts is missing?", gone, _RAMAN, change.spoilt("drop", 0.1)),
        _both("drop-25", "What if a quarter is missing?", gone, _RAMAN, change.spoilt("drop", 0.25)),
        _both("drop-50", "What if half is missing?", gone, _RAMAN, change.spoilt("drop", 0.5)),
        _both(
            "swapped-subgraph",
            "Must it be the subgraph of this example?",
            "Exchanging subgraphs between questions left the scores of published models where they were.",
            "Aglionby and Teufel 2022, EMNLP",
            change.swapped,
        ),
        _both(
            "text-blanked",
            "Is it the shape of the graph, or the words in it?",
            "Names of entities are text, and a language model reads text without a graph.",
            "Jiang et al. 2022, arXiv:2205.01841",
            change.blanked,
        ),
        _both(
            "no-edges",
            "Are the facts read, or only the entities?",
            "A bag of entities is a set of further words; the edges are what makes it a graph.",
            _RAMAN,
            change.edgeless,
        ),
    )


def _baselines() -> tuple[Control, ...]:
    simple = "It reached the scores of the graph networks of its time, with one number per edge."
    return (
        Control("gsc-count", "Is counting edges enough?", simple, _GSC, train=change.counted("count")),
        Control(
            "safe-paths",
            "Is counting paths of relations enough?",
            "Relations carried the gain of graph networks, and entities did not.",
            "Jiang et al. 2022, arXiv:2205.01841",
            train=change.counted("paths"),
        ),
        Control(
            "mlp",
            "Do messages between nodes matter?",
            "As deep and as wide, and no node sees another in the encoder.",
            _OWN,
            train=change.without_edges,
        ),
        Control(
            "frozen-gnn",
            "Must message passing be learned?",
            "Random features of a graph's structure are a strong baseline.",
            "Kipf and Welling 2017, arXiv:1609.02907, appendix A",
            train=change.frozen_graph,
        ),
    )


def _retrieval() -> tuple[Control, ...]:
    ceiling = "Accuracy without the ceiling is unreadable: published subgraphs hold from 20 to 95 % of the answers."
    audits = "KGQAGen, 2025, arXiv:2505.23495"
    return (
        Control(
            "retriever-oracle",
            "What if just the needed facts are found?",
            "What is still wrong then is reasoning, and no search would mend it. " + ceiling,
            audits,
            test=change.shown("oracle"),
        ),
        Control(
            "retriever-noise",
            "What if they are found among others?",
            "The step from the oracle to this is what distracting facts cost.",
            audits,
            test=change.shown("noise"),
        ),
        Control(
            "retriever-random",
            "What if facts are taken at random?",
            "Random facts gave a published retriever 53 points of its 84. " + ceiling,
            "LightPROF, Ao et al. 2025, arXiv:2504.03137",
            test=change.shown("random"),
        ),
        Control(
            "gold-removed",
            "Can it answer without the facts that answer?",
            "A right answer then came over another way, or from memory.",
            "BRINK, EACL 2026, arXiv:2508.08344",
            test=change.shown("gold_removed"),
        ),
        Control(
            "counterfactual",
            "Does the answer follow the facts?",
            "If the fact that was used says something else, the answer must be that; the rest is memory.",
            "Longpre et al. 2021, arXiv:2109.05052",
            test=change.shown("counterfactual"),
        ),
    )


def _text() -> tuple[Control, ...]:
    alone = "A classifier that never saw the premise was right on 67 % of SNLI and 53 % of MultiNLI."
    gururangan = "Gururangan et al. 2018, arXiv:1803.02324"
    return (
        _both("hypothesis-only", "Is the premise read?", alone, gururangan, change.spoil("hypothesis_only", ("nli",))),
        _both(
            "premise-only",
            "Does the premise give the label away?",
            "Where premises repeat with one label, it does.",
            gururangan,
            change.spoil("premise_only", ("nli",)),
        ),
        _both(
            "question-only",
            "Is anything but the question read?",
            "Without choices, or the story, only chance is left; more is a leak.",
            _OWN,
            change.spoil("question_only", ("choice", "relation")),
        ),
        _both(
            "choices-only",
            "Do the choices give the answer away?",
            "Wrong choices are often written in another manner than the right one.",
            "Balepur et al. 2024, arXiv:2402.12483",
            change.spoil("choices_only", ("choice",)),
        ),
        _both(
            "entity-only",
            "Is the question read, or only what it is about?",
            "The entity alone suggests its most frequent relation.",
            _OWN,
            change.spoil("no_question", ("kgqa",)),
        ),
        _both(
            "words-shuffled",
            "Does the order of the words matter?",
            "Bags of words reach high scores where a word gives the answer away.",
            "Sinha et al. 2021, arXiv:2101.00010",
            change.spoil("shuffle_words"),
        ),
    )


def _labels() -> tuple[Control, ...]:
    few = "A graph should pay most where labels are few; a curve tells more than a point."
    return (
        Control(
            "labels-shuffled",
            "Does it learn from labels, and nothing else?",
            "With the labels of others the score must fall to chance; if not, the test leaks.",
            "Zhang et al. 2017, arXiv:1611.03530",
            train=change.spoil("shuffle_labels"),
        ),
        *(
            Control(
                f"labels-{share}",
                f"What do {share} % of the labels give?",
                few,
                _OWN,
                train=change.spoil("fewer", share=share / 100),
            )
            for share in (50, 10, 1)
        ),
    )


def _model() -> tuple[Control, ...]:
    fewer = "If one cycle is as good, the reasoning is not in the cycles."
    return (
        Control(
            "lm-frozen",
            "What does fine-tuning add?",
            "Gains of a graph over a frozen model may vanish once the model is tuned.",
            "He et al. 2024, arXiv:2402.07630",
            train=change.lm_frozen,
        ),
        Control(
            "lm-random",
            "What does pretraining give?",
            "Benchmarks stand in the text that language models were made from; one that has read nothing cannot know.",
            _OWN,
            train=change.lm_random,
        ),
        Control(
            "graph-only",
            "What does the graph say by itself?",
            "What is right without any word was in the graph, or in how often answers occur.",
            _OWN,
            train=change.graph_only,
        ),
        Control("no-cycles", "Do the cycles matter?", "One look at the graph, no walk.", _GSC, train=change.no_cycles),
        Control(
            "cycles-shuffled",
            "Does it matter which cycle does what?",
            "If the cycles can change places, their order is no chain of reasoning.",
            _OWN,
            test=change.cycles_shuffled,
        ),
        *(
            Control(
                f"cycles-{many}",
                "Is one cycle enough?" if many == 1 else f"Are {many} cycles enough?",
                fewer,
                _OWN,
                train=change.cycles(many),
                test=change.cycles_at_test(many),
            )
            for many in (1, 2, 3, 4)
        ),
    )


#: All controls by name, in the order in which they are told.
CONTROLS: dict[str, Control] = {
    one.name: one for one in (*_graph(), *_retrieval(), *_baselines(), *_model(), *_text(), *_labels())
}

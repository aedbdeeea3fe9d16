"""From a treebank to a parser file: what `kgreason parser train` does."""

import tempfile
from collections.abc import Callable
from pathlib import Path

from kgreason.data import Vocab
from kgreason.errors import DataError
from kgreason.parse.conllu import read
from kgreason.parse.fit import Plan, extract, train
from kgreason.parse.lemma import learn
from kgreason.parse.neural import save_parser
from kgreason.parse.sentence import Sentence
from kgreason.parse.states import MAX_PIECES, WordStates


def train_parser(
    data: Path, out: Path, model: str, layers: int, wordnet: Path, plan: Plan, report: Callable[[str], None]
) -> None:
    """Train a parser on `*-train*.conllu`, choose the epoch on `*-dev*.conllu`, and write it to `out`.

    The states of the frozen language model are made once and lie in a temporary file beside `out` meanwhile (about
    1.2 GB for UD English EWT with 7 layers).

    Args:
        data: A folder with the treebank.
        out: The file to write.
        model: The language model, as `kgreason.pretrained` names it.
        layers: How many of its layers to read, the embedding layer included.
        wordnet: A folder with WordNet's files, for lemmas.
        plan: How to train.
        report: Told about progress, a line at a time.
    """
    states = WordStates(model, layers)
    train_set, dev_set = (_sentences(find(data, split), states) for split in ("train", "dev"))
    lemmatiser = learn(train_set, wordnet)
    xpos = Vocab(sorted({tag for sentence in train_set for tag in sentence.xpos if tag}))
    out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".states-", dir=out.parent) as folder:
        report(
            f"{len(train_set)} sentences to train on, {len(dev_set)} to choose by; reading their states from '{model}'"
        )
        train_bank = extract(states, train_set, Path(folder) / "train.npy")
        dev_bank = extract(states, dev_set, Path(folder) / "dev.npy")
        head = train(train_bank, dev_bank, xpos, plan, report)
        del train_bank, dev_bank
    about = {"model": model, "data": find(data, "train").name, "plan": str(plan)}
    save_parser(out, head, xpos, lemmatiser, about)
    report(f"wrote {out} ({out.stat().st_size / 1e6:.2f} MB)")


def find(data: Path, split: str) -> Path:
    """Return the one file of a split in a treebank's folder.

    Raises:
        DataError: If there is none, or more than one.
    """
    files = sorted(data.glob(f"*-{split}*.conllu")) if data.is_dir() else []
    if len(files) != 1:
        raise DataError(
            f"--data {data} holds {len(files)} files named *-{split}*.conllu, expected one. "
            "Give the folder of one Universal Dependencies treebank."
        )
    return files[0]


def _sentences(file: Path, states: WordStates) -> list[Sentence]:
    found = [entry.sentence for entry in read(file)]
    return [s for s in found if sum(map(len, states.pieces(s.words))) <= MAX_PIECES]

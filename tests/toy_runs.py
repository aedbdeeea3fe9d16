"""A small ablation that is really run, for the tests of reports: two variants, two seeds, a title that is an attack."""

import json
import sys
from pathlib import Path

import pytest

from kgreason.experiment.ablate import Ablation, run_ablation
from kgreason.experiment.run import Options
from tests.conftest import TOY_ENCODER, TOY_EXPERIMENT

TITLE = "Toy <script>document.title='run'</script> & 50 % of $x_1"
ABLATION = f"""
title   = "{TITLE}"
base    = "toy.toml"
name    = "graph"
against = "no-graph"
seeds   = [0, 1]

[variants]
no-graph = {{ "ground.name" = "nothing" }}
"""
#: The first is reached by any run, the second by none.
EXPECTED = '\n[expected]\n"test.accuracy" = [0.5, 0.5]\n"test.macro_f1" = [2.0, 0.01]\n'


def toy_runs(folder: Path) -> Path:
    """Run the ablation in a folder, and return the folder of its runs. The encoder can be imported afterwards."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setenv("KGREASON_CACHE", str(folder / "cache"))
        patch.syspath_prepend(str(folder))
        sys.modules.pop("toy_encoder", None)  # another world's
        (folder / "toy_encoder.py").write_text(TOY_ENCODER)
        (folder / "toy.toml").write_text(TOY_EXPERIMENT + EXPECTED)
        (folder / "toy.ablation.toml").write_text(ABLATION)
        (folder / "graph.tsv").write_text("cat\thypernym\tanimal\ndog\thypernym\tanimal\ncar\thypernym\tvehicle\n")
        (folder / "train.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows("abcdefgh")))
        (folder / "test.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows("ijkl")))
        run_ablation(Ablation.from_toml(folder / "toy.ablation.toml"), Options(), lambda *_: None)
    return folder / "runs"


def rows(letters: str) -> list[dict[str, str]]:
    """Return pairs, the words of which end in some letters; half of them with an operator, one with markup."""
    found = []
    for letter in letters:
        for word, kind in (("cat", "animal"), ("dog", "animal"), ("car", "vehicle")):
            for other, label in ((kind, "entailment"), ("vehicle" if kind == "animal" else "animal", "contradiction")):
                first = "Every" if letter in "aceik" else "The"
                more = " , and some other words follow" if letter in "kl" else ""
                pair = {
                    "premise": f"{first} {word} {letter} <b>&{more}",
                    "hypothesis": f"A {other} is here",
                    "label": label,
                }
                found.append(pair | {"uid": f"{word}-{letter}-{other}", "category": f"{label[:3]} <i>"})
    return found

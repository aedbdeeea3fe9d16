"""Where the numbers of a run come from: lock, checkout, machine, energy; and parts of a run that was interrupted."""

import hashlib
import json
import subprocess
from importlib.metadata import distributions
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from kgreason.experiment.checkout import read_checkout
from kgreason.experiment.config import ExperimentConfig
from kgreason.experiment.energy import CORE_WATTS, EnergyMeter
from kgreason.experiment.lock import lock, read_lock
from kgreason.experiment.machine import hardware
from kgreason.experiment.provenance import begin, end, read_provenance
from kgreason.tasks import Splits
from kgreason.tasks.split import join


def test_a_lock_names_every_package_and_pip_can_read_it() -> None:
    text = lock()
    found = read_lock(text)
    names = {d.metadata["Name"].replace("_", "-").replace(".", "-").lower() for d in distributions()}
    assert found.keys() == names
    lines = [line for line in text.splitlines() if line and not line.startswith(("#", "--"))]
    assert all(str(Requirement(line).specifier).startswith("==") or Requirement(line).url for line in lines)
    assert lines == sorted(lines, key=lambda line: Requirement(line).name.lower().replace("_", "-").replace(".", "-"))


def test_a_lock_tells_packages_from_folders_urls_and_repositories_apart(tmp_path: Path) -> None:
    said = {
        "plain": None,
        "mine": {"url": "file:///somewhere/mine", "dir_info": {"editable": True}},
        "wheel": {"url": "https://example.org/wheel-1.0-py3-none-any.whl", "archive_info": {}},
        "repo": {"url": "https://example.org/repo", "vcs_info": {"vcs": "git", "commit_id": "abc123"}},
    }
    for name, direct in said.items():
        folder = tmp_path / f"{name}-1.0.dist-info"
        folder.mkdir()
        (folder / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        if direct:
            (folder / "direct_url.json").write_text(json.dumps(direct))
    text = lock(distributions(path=[str(tmp_path)]))
    assert "plain==1.0\n" in text
    assert "repo @ git+https://example.org/repo@abc123\n" in text
    assert "wheel @ https://example.org/wheel-1.0-py3-none-any.whl\n" in text
    assert "# from a folder of this machine: mine==1.0\n" in text
    assert "somewhere" not in text
    assert read_lock(text)["mine"] == "1.0"


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A small git repository with one commit."""
    root = tmp_path / "checkout"
    (root / "kgreason").mkdir(parents=True)
    (root / "kgreason" / "one.py").write_text("x = 1\n")
    (root / "notes.txt").write_text("not code\n")
    for words in (["init", "-q"], ["add", "."], ["-c", "user.name=a", "-c", "user.email=b@c", "commit", "-qm", "one"]):
        subprocess.run(["git", *words], cwd=root, check=True)
    return root


def test_a_checkout_tells_its_commit_and_what_was_changed(checkout: Path, tmp_path: Path) -> None:
    clean = read_checkout(checkout)
    assert len(clean.commit) == 40
    assert (clean.sha256, clean.diff) == ("", b"")
    (checkout / "notes.txt").write_text("no number depends on it\n")
    assert read_checkout(checkout) == clean
    (checkout / "kgreason" / "one.py").write_text("x = 2\n")
    (checkout / "kgreason" / "new.py").write_text("y = 3\n")
    changed = read_checkout(checkout)
    assert changed.commit == clean.commit
    assert changed.sha256 == hashlib.sha256(changed.diff).hexdigest()
    (checkout / "kgreason" / "new.py").unlink()
    subprocess.run(["git", "checkout", "-q", "."], cwd=checkout, check=True)
    subprocess.run(["git", "apply"], input=changed.diff, cwd=checkout, check=True)  # the patch brings it all back
    assert (checkout / "kgreason" / "one.py").read_text() == "x = 2\n"
    assert (checkout / "kgreason" / "new.py").read_text() == "y = 3\n"
    assert read_checkout(tmp_path) == read_checkout(Path("/"))  # no checkout at all


def _zone(folder: Path, name: str, now: int, highest: int = 10**9) -> None:
    (folder / name).mkdir(parents=True, exist_ok=True)
    (folder / name / "energy_uj").write_text(f"{now}\n")
    (folder / name / "max_energy_range_uj").write_text(f"{highest}\n")


def test_energy_is_measured_where_there_are_counters(tmp_path: Path) -> None:
    _zone(tmp_path, "intel-rapl:0", 5_000_000)
    _zone(tmp_path, "intel-rapl:0:1", 1)  # a part of the first
    _zone(tmp_path, "intel-rapl:1", 999_000_000)
    meter = EnergyMeter(rapl=tmp_path)
    _zone(tmp_path, "intel-rapl:0", 41_000_000)
    _zone(tmp_path, "intel-rapl:0:1", 900_000_000)
    _zone(tmp_path, "intel-rapl:1", 34_999_999)  # it began anew at 0
    found = meter.read(seconds=1.0, cpu_seconds=1.0, memory_mb=1.0)
    assert found.how == "measured"
    assert found.watt_hours == pytest.approx((36 + 36) / 3600, abs=1e-4)
    assert "all that ran on the machine" in found.note


def test_energy_is_estimated_where_there_are_none_and_says_how(tmp_path: Path) -> None:
    found = EnergyMeter(rapl=tmp_path).read(seconds=3600.0, cpu_seconds=7200.0, memory_mb=1e9 / 2**20)
    assert found.how == "estimated"
    assert found.parts == {"processor": 2 * CORE_WATTS, "memory": 0.3725}
    assert found.watt_hours == pytest.approx(24.3725)
    assert "12 W" in found.note
    assert "0.3725 W" in found.note


def test_the_machine_is_described() -> None:
    found = hardware()
    assert found["processor"]
    assert 1 <= found["cores"] <= found["cores_of_machine"]
    assert found["memory_gb"] is None or found["memory_gb"] > 0.1


def test_each_part_of_an_interrupted_run_is_written_down(world: Path) -> None:
    config, nothing = ExperimentConfig.from_toml(world / "toy.toml"), Splits(join([]), join([]), {})
    folder, checksums = world / "run", {"knowledge": "abc"}
    begin(config, folder, nothing, checksums, "cpu", anew=False)  # was interrupted
    begin(config, folder, nothing, checksums, "cpu", anew=False)
    end(folder, {"seconds": 1.5, "energy": {"watt_hours": 1.0, "how": "estimated", "note": "…"}})
    found = read_provenance(folder)
    first, second = found["parts"]
    assert "ended" not in first
    assert second["seconds"] == 1.5
    assert second["ended"] >= second["started"] >= first["started"]
    assert first["lock"] == second["lock"] == {"file": "requirements.lock", "sha256": first["lock"]["sha256"]}
    lines = (folder / "requirements.lock").read_bytes()
    assert hashlib.sha256(lines).hexdigest() == first["lock"]["sha256"]
    assert found["checksums"] == checksums
    begin(config, folder, nothing, checksums, "cpu", anew=True)
    assert len(read_provenance(folder)["parts"]) == 1


def test_a_run_that_is_older_than_provenance_still_tells_what_it_can(tmp_path: Path) -> None:
    (tmp_path / "versions.json").write_text('{"python": "3.11.1", "git": "abc", "code": "h", "kgreason": "0.0.9"}')
    (tmp_path / "resolved.json").write_text('{"checksums": {"knowledge": "k"}}')
    found = read_provenance(tmp_path)
    assert found["checksums"] == {"knowledge": "k"}
    assert found["parts"][0]["code"] == {"version": "0.0.9", "hash": "h", "commit": "abc"}

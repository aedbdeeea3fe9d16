"""`kgreason doctor`: what it finds, what it advises, and its exit code."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from kgreason.cli import app, doctor
from kgreason.cli.doctor import Finding


def states(findings: list[Finding]) -> dict[str, str]:
    return {finding.name: finding.state for finding in findings}


def test_all_that_is_needed_is_found_here() -> None:
    found = states(list(doctor.examine()))
    assert found["torch"] == "ok"
    assert found["graph wordnet"] == "ok"
    assert found["dependency parser"] == "ok"
    assert found["cache"] == "ok"
    assert "broken" not in found.values()


def test_the_report_is_one_json_object() -> None:
    done = CliRunner().invoke(app, ["doctor", "--json"])
    assert done.exit_code == 0
    told = json.loads(done.stdout)
    assert told["ok"] is True
    assert {"part", "name", "state", "detail", "advice"} == set(told["findings"][0])


def test_for_people_it_is_text_with_advice(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("KGREASON_DATA", raising=False)
    done = CliRunner().invoke(app, ["doctor"])
    assert "  ok     torch: " in done.stdout
    assert "→ kgreason data fetch NAME" in done.stdout
    assert "All that is needed is there." in done.stdout


def test_a_damaged_graph_is_broken_and_gives_exit_code_2(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "tiny.toml").write_text(f'file = "tiny.npz"\nsha256 = "{"0" * 64}"\n')
    (tmp_path / "tiny.npz").write_bytes(b"cut short")
    monkeypatch.setattr(doctor, "shipped", lambda folder: tmp_path)
    done = CliRunner().invoke(app, ["doctor"])
    assert done.exit_code == 2
    assert "BROKEN graph tiny" in done.stdout
    assert "its sha256 differs" in done.stdout


def test_a_missing_package_is_named_with_the_way_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    version = doctor._version
    monkeypatch.setattr(doctor, "_version", lambda name: "" if name in ("polars", "matplotlib") else version(name))
    findings = {finding.name: finding for finding in doctor.examine()}
    assert findings["polars"].state == "broken"
    assert findings["polars"].advice == "pip install polars"
    assert findings["train"].state == "absent"
    assert findings["train"].advice == "pip install 'kgreason[train]'"


def test_a_cache_that_cannot_be_written_is_broken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KGREASON_CACHE", str(tmp_path / "a" / "b"))
    monkeypatch.setattr("os.access", lambda path, mode: False)
    assert states(list(doctor._folders()))["cache"] == "broken"
    assert not (tmp_path / "a").exists()

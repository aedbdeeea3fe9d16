"""The folder of a run: named by everything that can change its numbers, so that nothing is run twice."""

from collections.abc import Callable, Mapping
from pathlib import Path

from kgreason.experiment import record
from kgreason.experiment.code import code_of
from kgreason.experiment.config import ExperimentConfig


def folder_of(
    config: ExperimentConfig,
    checksums: Mapping[str, str],
    out: Path,
    any_code: bool = False,
    tell: Callable[[str], None] = lambda text: None,
) -> Path:
    """Return the folder in which an experiment is run, or was run: `<title>-<fingerprint>-<code>`.

    The title is for people: a run of the same settings under another title is the same run. `fingerprint` is a hash of
    the settings and of what they read; `code` of the code that the run goes through.

    Args:
        config: The experiment.
        checksums: Of its data and graph.
        out: The folder of all runs.
        any_code: Whether a finished run of the same settings by other code will do.
        tell: Is told of such a run, whether it does or not.
    """
    fingerprint, code = config.fingerprint(checksums), code_of(config)
    own = out / f"{record.slug(config.title)}-{fingerprint}-{code}"
    same = [path for path in sorted(out.glob(f"*-{fingerprint}-{code}")) if path != own]
    for path in (own, *same):
        if (path / record.METRICS).is_file():
            return path
    others = [*out.glob(f"*-{fingerprint}"), *out.glob(f"*-{fingerprint}-*")]
    done = [path for path in others if (path / record.METRICS).is_file()]
    if not done:
        return own if own.is_dir() or not same else same[0]
    newest = max(done, key=lambda path: (path / record.METRICS).stat().st_mtime)
    if any_code:
        tell(f"Taken although it was made by other code than this: {newest}")
        return newest
    tell(f"A run of these settings by other code is there: {newest}; --any-code would take it.")
    return own

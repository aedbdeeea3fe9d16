"""What a command that computes does before all else."""

from kgreason.cli.console import set_quiet
from kgreason.errors import ConfigError


def start(threads: int, quiet: bool, verbose: bool) -> None:
    """Set the number of threads, and how much is said."""
    import logging

    from kgreason.runtime import tune

    set_quiet(quiet)
    logging.basicConfig(level=logging.INFO if verbose else logging.ERROR, format="%(name)s: %(message)s")
    tune(threads)
    if not verbose:
        from transformers.utils import logging as transformers_logging

        transformers_logging.disable_progress_bar()  # type: ignore[no-untyped-call]


def check_device(device: str) -> None:
    """Try a device.

    Raises:
        ConfigError: If nothing can be computed there.
    """
    import torch

    try:
        torch.zeros(1, device=device)
    except (RuntimeError, AssertionError) as error:
        reason = str(error).splitlines()[0]
        raise ConfigError(f"--device {device} cannot be used: {reason} Use cpu, or see: kgreason doctor") from error

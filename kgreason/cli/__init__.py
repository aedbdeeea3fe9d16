"""The command line. Each command imports what it needs when it is called, so that `--help` starts at once."""

from kgreason.cli.app import app, main

__all__ = ["app", "main"]

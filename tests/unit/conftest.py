"""Fixtures of all unit tests."""

import click
import pytest

from monitor.cli.main import main


@pytest.fixture
def parses(monkeypatch):
    """Return a function that tells if the command line parses, without running the command."""
    monkeypatch.setattr(click.Context, "invoke", lambda *_, **__: 0)
    return lambda words: main(words) == 0

"""Golden files of the reports; run pytest with UPDATE_GOLDEN=1 to rewrite them."""

import os
from pathlib import Path

import pytest

GOLDEN = Path(__file__).parents[3] / "golden" / "reports"


@pytest.fixture
def assert_golden():
    """Return a function that compares the plain text of a report, in each of its states, with its golden file."""

    def compare(name, reports):
        path = GOLDEN / f"{name}.txt"
        text = "\n".join(f"--- {state}\n{report}\n" for state, report in reports.items())
        if os.environ.get("UPDATE_GOLDEN"):
            path.write_text(text)
        assert text == path.read_text()

    return compare

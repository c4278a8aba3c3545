"""Figures of the decision about boosted trees: equal to the recorded results."""

import json
import re
from pathlib import Path

import pytest

pytestmark = pytest.mark.unit

ROOT = Path(__file__).parents[2]
COLUMNS = ("bitbrains, 5m", "bitbrains, 15m", "bitbrains, 1h", "smd, 5m", "smd, 15m", "smd, 1h")
ROW = re.compile(r"^\| `([a-z-]+)`[^|]*\|(.*)\|$", re.MULTILINE)


def rows():
    """Return (name, cells) for each row of the table."""
    text = (ROOT / "docs/decisions/boosted-trees.md").read_text()
    return [(name, [cell.strip() for cell in cells.split("|")]) for name, cells in ROW.findall(text)]


@pytest.mark.parametrize(("name", "cells"), rows(), ids=lambda value: value if isinstance(value, str) else "")
def test_figures_equal_the_recorded_results(name, cells):
    result = json.loads((ROOT / f"benchmarks/results/networks-{name}.json").read_text())
    expected = [f"{result['means'][column][0]:.3f}".removeprefix("0") for column in COLUMNS]
    seconds = "" if result["seconds"] is None else f"{result['seconds']:.1f}"
    assert cells == [*expected, seconds]


def test_table_has_the_reference_and_the_adopted_variant():
    assert {"one-layer-again", "trees-six-networks"} <= {name for name, _ in rows()}

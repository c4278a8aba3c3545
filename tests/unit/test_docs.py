"""What the documentation shows runs."""

import re
from pathlib import Path

import pytest

pytestmark = pytest.mark.unit

PAGE = Path(__file__).parents[2] / "docs" / "network.md"


def test_the_examples_of_the_network_page_run_in_order(capsys):
    blocks = re.findall(r"^```python\n(.*?)^```$", PAGE.read_text(), re.MULTILINE | re.DOTALL)
    assert len(blocks) == 2
    scope = {}
    for block in blocks:
        exec(compile(block, str(PAGE), "exec"), scope)
    right = (scope["probabilities"] > 0.5) == (scope["y"] == 1)
    assert right.mean() > 0.95
    assert "healthy" in capsys.readouterr().out

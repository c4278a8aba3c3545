"""Near-miss suggestions."""

import pytest

from monitor.system.suggestions import suggestion

pytestmark = pytest.mark.unit


def test_suggestion_names_the_most_similar_name():
    assert suggestion("layrs", ("epochs", "layers", "lay")) == "; did you mean 'layers'?"


def test_suggestion_is_empty_without_a_similar_name():
    assert suggestion("xyzzy", ("epochs", "layers")) == ""

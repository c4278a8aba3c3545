"""Selectors of a host."""

import pytest

from monitor.sampling.history_sources.prometheus_host import label_matchers

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("selector", "matchers"),
    [("", ""), ("{}", ""), (' { a="b", } ', 'a="b"'), ('{a="b",c=~"d|e"}', 'a="b",c=~"d|e"')],
)
def test_matchers_are_the_text_in_braces(selector, matchers):
    assert label_matchers(selector) == matchers


def test_selector_without_braces_is_refused():
    with pytest.raises(ValueError, match="braces"):
        label_matchers('instance="a"')

"""Tests of monitor.web.ui.environment."""

import pytest
from jinja2 import UndefinedError

from monitor.web.ui.environment import (
    MAX_POINT_RADIUS,
    environment,
    norm_position,
    point_radius,
    svg_percent,
)

pytestmark = pytest.mark.unit


def render(template, **context):
    return environment().from_string(template).render(context)


def test_templates_escape_text():
    assert render("<p>{{ text }}</p>", text="<b>&'\"") == "<p>&lt;b&gt;&amp;&#39;&#34;</p>"


def test_templates_escape_arguments_of_macros():
    template = "{% import 'macros.html' as ui %}{{ ui.bar(0.5, label) }}{{ ui.chip(label, 'good') }}"
    html = render(template, label='"><script>')
    assert "<script>" not in html
    assert html.count("&#34;&gt;&lt;script&gt;") == 2


def test_templates_fail_on_an_undefined_name():
    with pytest.raises(UndefinedError):
        render("{{ document.missing }}", document={})


@pytest.mark.parametrize(("ratio", "length"), [(-1.0, "0.0%"), (0.125, "12.5%"), (7.0, "100.0%")])
def test_svg_percent_is_limited_to_the_bar(ratio, length):
    assert svg_percent(ratio) == length


def test_point_radius_grows_with_the_count():
    assert point_radius(100, 100) == MAX_POINT_RADIUS
    assert point_radius(1, 100) < point_radius(50, 100) < MAX_POINT_RADIUS


@pytest.mark.parametrize(
    ("norm", "position"), [(0.0, 0.0), (1e-8, 0.0), (1e-3, 0.5), (1e2, 1.0), (float("nan"), 1.0), (float("inf"), 1.0)]
)
def test_norm_position_is_logarithmic(norm, position):
    assert norm_position(norm) == pytest.approx(position)

"""Tests of monitor.web.ui.environment."""

import pytest
from jinja2 import UndefinedError

from monitor.sampling.metric_catalog import Unit
from monitor.web.ui.environment import (
    MAX_POINT_RADIUS,
    environment,
    format_quantity,
    iso_time,
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


def test_iso_time_is_absent_outside_the_calendar():
    assert iso_time(1_800_000_000.0) == "2027-01-15T08:00:00+00:00"
    assert iso_time(1e18) is None
    assert iso_time(-1e18) is None


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (None, Unit.RATIO, "-"),
        (0.256, Unit.RATIO, "25.6%"),
        (0.0, Unit.BYTES_PER_SECOND, "0 B/s"),
        (1000.0, Unit.BYTES_PER_SECOND, "1 kB/s"),
        (2.5e6, Unit.BYTES_PER_SECOND, "2.5 MB/s"),
        (1.25e9, Unit.BYTES_PER_SECOND, "1.25 GB/s"),
        (0.5, Unit.PER_SECOND, "0.5/s"),
    ],
)
def test_format_quantity_appends_the_unit(value, unit, text):
    assert format_quantity(value, unit) == text


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

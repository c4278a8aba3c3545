"""Content negotiation of the metrics page."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.web.accept import FORMATS, OPENMETRICS_FORMAT, TEXT_FORMAT, choose_format, parse_accept

pytestmark = pytest.mark.unit

OPENMETRICS = "application/openmetrics-text"
PROMETHEUS = (
    "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,"
    "application/openmetrics-text;version=0.0.1;q=0.5,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,"
    "text/plain;version=0.0.4;q=0.3,*/*;q=0.2"
)


@pytest.mark.parametrize(
    "header",
    [
        OPENMETRICS,
        f"{OPENMETRICS};version=1.0.0",
        f'{OPENMETRICS.upper()} ; Version="1.0.0"',
        f"text/plain;q=0.5, {OPENMETRICS};q=0.6",
        f"{OPENMETRICS};version=2.0.0, {OPENMETRICS};version=1.0.0;q=0.1",
        "application/*",
        "text/plain;q=0, */*;q=0.1",
        PROMETHEUS,
    ],
)
def test_openmetrics_is_chosen_where_it_has_the_largest_weight(header):
    assert choose_format(header) is OPENMETRICS_FORMAT


@pytest.mark.parametrize(
    "header",
    [
        "",
        "*/*",
        "text/html, */*;q=0.8",
        f"{OPENMETRICS};q=0",
        f"{OPENMETRICS};q=0.000, text/plain;q=0.001",
        f"{OPENMETRICS};q=0.4, text/plain;q=0.5",
        f"{OPENMETRICS};version=1.0.0;q=0.4, text/*;q=0.5",
        f"{OPENMETRICS};version=1.0.0;q=0, {OPENMETRICS};q=1",
        f"{OPENMETRICS};version=2.0.0",
        f"{OPENMETRICS};version=0.0.1",
        f"{OPENMETRICS};version=x",
        f"{OPENMETRICS};q=2",
        "text/plain;version=1.0.0",
        "image/png",
    ],
)
def test_text_is_chosen_otherwise(header):
    assert choose_format(header) is TEXT_FORMAT


def test_weight_and_parameters_are_parsed():
    (first, second) = parse_accept('text/plain;version="a,b;c";q=0.25, broken, */*;q=1.000, text/html;q=1.5')
    assert (first.media_type, first.parameters, first.weight) == ("text/plain", {"version": "a,b;c"}, 0.25)
    assert (second.media_type, second.weight) == ("*/*", 1.0)


@given(st.text(max_size=200))
def test_any_header_yields_a_supported_content_type(header):
    assert choose_format(header).content_type in {candidate.content_type for candidate in FORMATS}


@given(st.integers(0, 1000), st.integers(0, 1000), st.booleans())
def test_larger_weight_wins_in_any_order(text, openmetrics, swap):
    ranges = [f"text/plain;q={text / 1000:.3f}", f"{OPENMETRICS};q={openmetrics / 1000:.3f}"]
    chosen = choose_format(", ".join(ranges[::-1] if swap else ranges))
    assert chosen is (OPENMETRICS_FORMAT if openmetrics > text else TEXT_FORMAT)

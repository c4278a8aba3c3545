"""Tests of monitor.config.strict_yaml."""

import pytest

from monitor.config.strict_yaml import parse

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("", None),
        ("---\n", None),
        ("a: 1\nb: [x, 'y']", {"a": 1, "b": ["x", "y"]}),
        ("1: a\n'1 ': b", {1: "a", "1 ": "b"}),
    ],
)
def test_parse_returns_plain_values(text, value):
    assert parse(text) == value


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("a: [", 1),
        ("secret: ]", 1),
        ("a: &a [x]\nb: *a", 2),
        (f"a: {'1:' * 20}1", 1),
        ("a: 1\na: 2", 2),
        ("!!map [a, b]", 1),
        ("a:\n  b: !!map [[c, d]]", 2),
        ('a:\n  cert_file: "\\ud800"', 2),
        ('a: {cert: x, key_file: "a\\0b"}', 1),
        ("!!python/object/apply:os.system [ls]", 1),
    ],
)
def test_parse_names_the_line_of_a_problem_without_quoting_it(text, line):
    with pytest.raises(ValueError, match=f"^line {line}: ") as raised:
        parse(text)
    assert "secret" not in str(raised.value)


@pytest.mark.parametrize(
    "text",
    [
        "rate_limit: 2020-99-99",
        "http2: !!bool foo",
        "a: !!timestamp abc",
        "a: \x01",
        "[" * 50_000,
    ],
)
def test_parse_rejects_values_that_cannot_be_loaded(text):
    with pytest.raises(ValueError, match=r"."):
        parse(text)

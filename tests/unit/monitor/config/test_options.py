"""Options of a single value: what they read, reject and write."""

from dataclasses import dataclass, fields

import pytest

from monitor.config.options import abbreviate, boolean, choice, duration, integer, number, option_of, string

pytestmark = pytest.mark.unit


@dataclass(frozen=True)
class Example:
    interval: float = duration(5.0, "Interval.", minimum=1.0)
    ratio: float = number(0.5, "Ratio.", above=0, maximum=1)
    count: int = integer(3, "Count.", minimum=1)
    level: str = choice("low", ("low", "high"), "Level.")
    enabled: bool = boolean(True, "Enable it.")
    listen: str = string("a:1", "Address.", pattern=r"\w+:\d+", example="a:1")
    path: str = string("", "Path.")


OPTIONS = {key.name: option_of(key) for key in fields(Example)}


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("interval", "1m", 60.0),
        ("ratio", 1, 1.0),
        ("count", 1, 1),
        ("level", "high", "high"),
        ("enabled", False, False),
        ("listen", "b:22", "b:22"),
        ("path", "a\nb", "a\nb"),
    ],
)
def test_option_reads_a_valid_value(name, value, expected):
    result = OPTIONS[name].read(value)
    assert (result, type(result)) == (expected, type(expected))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("interval", 5),
        ("interval", "5 s"),
        ("interval", "0.5s"),
        ("ratio", 0),
        ("ratio", 1.5),
        ("ratio", True),
        ("ratio", "1"),
        ("ratio", float("nan")),
        ("ratio", 10**400),
        ("interval", "1" + "0" * 400 + "d"),
        ("interval", "36526d"),
        ("count", 2**63),
        ("count", 0),
        ("count", 1.0),
        ("count", True),
        ("level", "loud"),
        ("level", 3),
        ("enabled", 1),
        ("listen", "b"),
        ("listen", 3),
        ("path", 3),
    ],
)
def test_option_rejects_an_invalid_value(name, value):
    with pytest.raises(ValueError, match=r"must|duration"):
        OPTIONS[name].read(value)


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("listen", "b", """must be a string such as "a:1", not 'b'"""),
        ("listen", 3, 'must be a string such as "a:1", not 3'),
        ("path", 3, "must be a string, not 3"),
    ],
)
def test_string_names_what_it_expects(name, value, message):
    with pytest.raises(ValueError, match="must") as caught:
        OPTIONS[name].read(value)
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("name", "value", "toml"),
    [
        ("interval", 5400.0, '"90m"'),
        ("ratio", 0.25, "0.25"),
        ("count", 7, "7"),
        ("level", "high", '"high"'),
        ("enabled", False, "false"),
        ("listen", 'a"b', '"a\\"b"'),
    ],
)
def test_option_writes_toml(name, value, toml):
    assert OPTIONS[name].write(value) == toml


def test_abbreviate_shortens_a_long_value():
    assert abbreviate("x" * 100) == f"'{'x' * 56}..."
    assert abbreviate(3) == "3"

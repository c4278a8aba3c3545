"""Options of lists: what they read, reject and write."""

import tomllib
from dataclasses import dataclass, fields

import pytest

from monitor.config.list_options import durations, integers, strings
from monitor.config.options import option_of

pytestmark = pytest.mark.unit


@dataclass(frozen=True)
class Example:
    names: tuple[str, ...] = strings((), "Names.")
    sources: tuple[str, ...] = strings(("cpu",), "Sources.", allowed=("cpu", "disk"))
    horizons: tuple[float, ...] = durations((300.0,), "Horizons.")
    layers: tuple[int, ...] = integers((64,), "Layers.")


OPTIONS = {key.name: option_of(key) for key in fields(Example)}


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("names", ["wg*"], ("wg*",)),
        ("sources", ["disk", "cpu"], ("disk", "cpu")),
        ("horizons", ["90s", "1h30m"], (90.0, 5400.0)),
        ("layers", [], ()),
    ],
)
def test_list_option_reads_and_writes_back(name, value, expected):
    result = OPTIONS[name].read(value)
    assert result == expected
    assert OPTIONS[name].read(tomllib.loads(f"key = {OPTIONS[name].write(result)}")["key"]) == result


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("names", "wg*"),
        ("names", [3]),
        ("sources", ["cpu", "gpu"]),
        ("horizons", []),
        ("horizons", ["15m", "5m"]),
        ("horizons", ["5m", "5m"]),
        ("horizons", ["0.5s"]),
        ("layers", [64, 0]),
        ("layers", 64),
    ],
)
def test_list_option_rejects_an_invalid_value(name, value):
    with pytest.raises(ValueError, match=r"."):
        OPTIONS[name].read(value)

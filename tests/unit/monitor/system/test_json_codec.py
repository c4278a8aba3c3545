"""JSON form of frozen dataclass trees."""

import json
import math
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal

import pytest

from monitor.system.json_codec import DecodeError, from_plain, to_json, to_plain

pytestmark = pytest.mark.unit


class Colour(StrEnum):
    RED = "red"


@dataclass(frozen=True)
class Inner:
    value: float
    note: str | None = None


@dataclass(frozen=True)
class Outer:
    from_: float
    number: int
    flag: bool
    colour: Colour
    kind: Literal["a", "b"]
    inner: Inner | None = None
    rows: tuple[Inner, ...] = ()
    pair: tuple[str, float | str] = ("", 0.0)
    by_name: dict[str, float | None] = field(default_factory=dict)


FULL = Outer(
    from_=1.0,
    number=2,
    flag=True,
    colour=Colour.RED,
    kind="a",
    inner=Inner(0.5),
    rows=(Inner(1.0, "x"),),
    pair=("cpu", "p95"),
    by_name={"a": 1.0, "b": None},
)


def test_to_plain_drops_trailing_underscore_and_uses_enum_values():
    plain = to_plain(FULL)
    assert (plain["from"], plain["colour"], plain["rows"]) == (1.0, "red", [{"value": 1.0, "note": "x"}])


def test_from_plain_inverts_to_json():
    assert from_plain(Outer, json.loads(to_json(FULL))) == FULL


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_to_plain_turns_numbers_that_are_not_finite_into_null(value):
    assert to_plain({"a": [value, Inner(value)]}) == {"a": [None, {"value": None, "note": None}]}


def test_to_plain_refuses_objects_without_json_form():
    with pytest.raises(TypeError):
        to_plain(object())


def test_from_plain_converts_integers_to_floats_and_ignores_unknown_keys():
    decoded = from_plain(Inner, {"value": 3, "later": 1})
    assert (decoded, type(decoded.value)) == (Inner(3.0), float)


@pytest.mark.parametrize(
    ("changed", "path"),
    [
        ({"from": "1"}, "from"),
        ({"from": math.nan}, "from"),
        ({"from": True}, "from"),
        ({"number": 1.5}, "number"),
        ({"number": True}, "number"),
        ({"flag": 1}, "flag"),
        ({"colour": "blue"}, "colour"),
        ({"kind": "c"}, "kind"),
        ({"inner": []}, "inner"),
        ({"inner": {}}, "inner.value"),
        ({"rows": {}}, "rows"),
        ({"rows": [{"value": 1.0}, {"value": None}]}, "rows[1].value"),
        ({"pair": ["a"]}, "pair"),
        ({"by_name": {"a": "x"}}, "by_name.a"),
        ({"by_name": []}, "by_name"),
    ],
)
def test_from_plain_names_the_value_of_another_type(changed, path):
    with pytest.raises(DecodeError) as caught:
        from_plain(Outer, {**to_plain(FULL), **changed})
    assert caught.value.path == path


def test_from_plain_names_the_missing_key():
    with pytest.raises(DecodeError) as caught:
        from_plain(Outer, {"from": 1.0})
    assert caught.value.path == "number"


def test_from_plain_refuses_a_document_that_is_no_object():
    with pytest.raises(DecodeError):
        from_plain(Outer, [])

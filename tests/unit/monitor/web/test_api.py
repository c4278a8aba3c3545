"""Tests of monitor.web.api."""

import pytest

from monitor.web.api import Api, ApiError, encoded

pytestmark = pytest.mark.unit


def test_a_document_never_holds_what_json_does_not_know():
    assert encoded({"a": [float("nan"), 1.5, {"b": float("inf")}]}) == b'{"a": [null, 1.5, {"b": null}]}'


@pytest.mark.parametrize(
    ("query", "told"),
    [
        ({"range": "x"}, "range=x: range is from 1 min to 30 d"),
        ({"range": "31d"}, "range=31d"),
        ({"points": "5"}, "points=5: points is from 10 to 2000"),
        ({"points": "1e3"}, "points=1e3"),
        ({"points": "1_00"}, "points=1_00"),
        ({"range": "\uff16h"}, "range=\uff16h"),
        ({"rage": "1h"}, "/api/v1/history takes no parameter rage"),
    ],
)
def test_a_query_without_sense_is_refused_by_name(status, query, told):
    with pytest.raises(ApiError, match=told) as raised:
        Api(lambda: status, lambda: None).answer("/api/v1/history", query)
    assert raised.value.code == 400


def test_the_documents_of_a_database_that_is_not_open_are_not_to_be_had(status):
    with pytest.raises(ApiError, match="not open yet") as raised:
        Api(lambda: status, lambda: None).answer("/api/v1/models", {})
    assert raised.value.code == 503

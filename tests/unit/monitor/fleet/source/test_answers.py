"""Answers: values by host, duplicates, invalid names, structures and numbers."""

import contextlib
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.errors import SourceError
from monitor.fleet.source.answers import read_matrix, read_vector

pytestmark = pytest.mark.unit


def vector(*entries, **others):
    result = [{"metric": labels, "value": [1700000000, value]} for labels, value in entries]
    return {"status": "success", "data": {"resultType": "vector", "result": result}, **others}


def matrix(*entries):
    result = [{"metric": labels, "values": values} for labels, values in entries]
    return {"status": "success", "data": {"resultType": "matrix", "result": result}}


def host(name, **others):
    return {"instance": name, **others}


def test_vector_has_the_value_of_each_host():
    answer = read_vector(vector((host("a"), "0.5"), (host("b"), "1e3")), "instance")
    assert (answer.hosts, answer.values.tolist()) == (["a", "b"], [0.5, 1000.0])
    assert (answer.notes.ignored, answer.notes.duplicates) == (0, ())


@pytest.mark.parametrize("text", ["NaN", "+Inf", "-Inf", "Inf"])
def test_value_that_is_not_finite_is_missing(text):
    answer = read_vector(vector((host("a"), text), (host("b"), "1")), "instance")
    assert (answer.hosts, answer.values.tolist()) == (["a", "b"], [pytest.approx(math.nan, nan_ok=True), 1.0])


@pytest.mark.parametrize("labels", [{}, {"node": "a"}, host(""), host("a\nb"), host("x" * 300), host(5), host(None)])
def test_series_without_a_valid_host_is_ignored_and_counted(labels):
    answer = read_vector(vector((labels, "1"), (host("b"), "2")), "instance")
    assert (answer.hosts, answer.values.tolist(), answer.notes.ignored) == (["b"], [2.0], 1)


def test_host_with_several_series_has_no_value_and_is_named_with_their_labels():
    answer = read_vector(vector((host("a", job="x"), "1"), (host("b"), "2"), (host("a", job="y"), "1")), "instance")
    assert (answer.hosts, answer.values.tolist()) == (["b"], [2.0])
    ((name, labels),) = answer.notes.duplicates
    assert name == "a"
    assert labels == '{instance="a", job="x"} and {instance="a", job="y"}'


def test_notes_have_warnings_and_partial_answers():
    notes = read_vector(vector(warnings=["store x", "store x", "y"], isPartial=True), "instance").notes
    assert (notes.warnings, notes.is_partial) == (("store x", "y"), True)


INVALID = [
    None, [], "x", {}, {"status": "success"}, {"status": "success", "data": None},
    {"status": "success", "data": {"resultType": "scalar", "result": [1, "2"]}},
    {"status": "success", "data": {"resultType": "vector", "result": {}}},
    {"status": "success", "data": {"resultType": "matrix", "result": {}}},
    {"status": "success", "data": {"resultType": "vector", "result": [{"metric": [], "value": [1, "2"]}]}},
    vector((host("a"), None)), vector((host("a"), "x")), vector((host("a"), [])), vector((host("a"), 10**400)),
    {"status": "success", "data": {"resultType": "vector", "result": [{"metric": {}, "histogram": []}]}},
    matrix((host("a"), [[1]])), matrix((host("a"), [["x", "1"]])), matrix((host("a"), None)),
    {"status": "error", "error": "boom"},
]  # fmt: skip


@pytest.mark.parametrize("document", INVALID)
def test_invalid_answer_is_refused(document):
    with pytest.raises(SourceError):
        read_vector(document, "instance")
    with pytest.raises(SourceError):
        read_matrix(document, "instance", 0.0, 60.0, 10)


def test_error_of_the_server_is_the_message():
    with pytest.raises(SourceError, match="boom"):
        read_vector({"status": "error", "error": "boom"}, "instance")


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(max_size=5) | st.integers(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(("metric", "value", "values", "instance", "data", "result")), inner, max_size=3
        )
    ),
    max_leaves=10,
)


@given(JSON, st.sampled_from(("vector", "matrix")))
def test_any_result_is_read_or_refused(result, kind):
    document = {"status": "success", "data": {"resultType": kind, "result": [result]}}
    for read in (lambda: read_vector(document, "instance"), lambda: read_matrix(document, "instance", 0.0, 1.0, 3)):
        with contextlib.suppress(SourceError):
            read()


def test_matrix_has_the_values_at_the_times_of_the_query():
    points = [[120, "2"], [60, "1"], [100, "9"], [600, "9"], [0, "9"], [180, "NaN"]]
    values = read_matrix(matrix((host("a"), points)), "instance", 60.0, 60.0, 4).values
    np.testing.assert_array_equal(values["a"], [1.0, 2.0, math.nan, math.nan])


def test_series_of_a_host_that_follow_one_another_are_joined():
    first = (host("a", pod="1"), [[0, "1"], [60, "2"]])
    second = (host("a", pod="2"), [[120, "3"]])
    answer = read_matrix(matrix(first, second), "instance", 0.0, 60.0, 3)
    assert (answer.values["a"].tolist(), answer.notes.duplicates) == ([1.0, 2.0, 3.0], ())


def test_series_of_a_host_at_the_same_time_have_no_value_then():
    first = (host("a", pod="1"), [[0, "1"], [60, "2"]])
    second = (host("a", pod="2"), [[60, "3"], [120, "4"]])
    answer = read_matrix(matrix(first, second), "instance", 0.0, 60.0, 3)
    np.testing.assert_array_equal(answer.values["a"], [1.0, math.nan, 4.0])
    assert answer.notes.duplicates == (("a", '{instance="a", pod="1"} and {instance="a", pod="2"}'),)

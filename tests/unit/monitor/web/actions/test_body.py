"""Tests of monitor.web.actions.body."""

from io import BytesIO

import pytest

from monitor.web.actions.body import FORM, JSON_TYPE, MAX_FIELDS, is_form, read_body
from monitor.web.api import ApiError
from monitor.web.connection import KEPT_BODY_BYTES

pytestmark = pytest.mark.unit


def request(body, content_type=FORM, length=None):
    return {
        "CONTENT_TYPE": content_type,
        "CONTENT_LENGTH": str(len(body)) if length is None else length,
        "wsgi.input": BytesIO(body),
    }


def test_form_fields_are_decoded():
    body = read_body(request(b"verdict=incident&note=disk+full%20%C3%BC&token="))
    assert body.fields == {"verdict": "incident", "note": "disk full ü", "token": ""}
    assert body.is_form


def test_json_fields_are_texts_and_null_counts_as_missing():
    body = read_body(request(b'{"start": 12.5, "note": "x", "end": null}', "application/json; charset=utf-8"))
    assert body.fields == {"start": "12.5", "note": "x"}
    assert not body.is_form


def test_empty_json_body_has_no_fields():
    assert read_body(request(b"", JSON_TYPE)).fields == {}


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b"note=a&note=b", FORM),
        (b"note=%ff", FORM),
        (b"note=\xff", FORM),
        (b"&".join(b"f%d=1" % number for number in range(MAX_FIELDS + 1)), FORM),
        (b"[]", JSON_TYPE),
        (b"{", JSON_TYPE),
        (b'{"note": {"a": 1}}', JSON_TYPE),
        (b'{"note": true}', JSON_TYPE),
        (b"[" * 5000, JSON_TYPE),
    ],
)
def test_malformed_bodies_are_refused(body, content_type):
    with pytest.raises(ApiError) as caught:
        read_body(request(body, content_type))
    assert caught.value.code == 400


@pytest.mark.parametrize("length", [str(KEPT_BODY_BYTES + 1), "x", "-1"])
def test_large_bodies_are_refused(length):
    with pytest.raises(ApiError) as caught:
        read_body(request(b"", length=length))
    assert caught.value.code == 413


@pytest.mark.parametrize("content_type", ["", "text/plain", "multipart/form-data; boundary=x"])
def test_other_media_types_are_refused(content_type):
    environ = request(b"note=x", content_type)
    assert not is_form(environ)
    with pytest.raises(ApiError) as caught:
        read_body(environ)
    assert caught.value.code == 415

"""Request bodies of actions: fields of a form or of a JSON object, within limits."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl

from monitor.web.api import ApiError
from monitor.web.connection import KEPT_BODY_BYTES

if TYPE_CHECKING:
    from wsgiref.types import WSGIEnvironment

FORM = "application/x-www-form-urlencoded"
JSON_TYPE = "application/json"

MAX_FIELDS = 10
"""Largest number of fields of a body."""


@dataclass(frozen=True)
class Body:
    """Fields of a request body.

    Attributes:
        fields: text of each field.
        is_form: True for the form of a page, False for a JSON object.
    """

    fields: Mapping[str, str]
    is_form: bool


def is_form(environ: WSGIEnvironment) -> bool:
    """Return True if a request has the body of a form."""
    return _media_type(environ) == FORM


def read_body(environ: WSGIEnvironment) -> Body:
    """Return the fields of a request body.

    Raises:
        ApiError: the body is too large (413), of another type (415), or malformed (400).
    """
    kind = _media_type(environ)
    if kind not in (FORM, JSON_TYPE):
        raise ApiError(415, f"the body is {FORM} or {JSON_TYPE}")
    length = environ.get("CONTENT_LENGTH") or "0"
    if not length.isdecimal() or int(length) > KEPT_BODY_BYTES:
        raise ApiError(413, f"body exceeds {KEPT_BODY_BYTES} bytes")
    try:
        text = environ["wsgi.input"].read(int(length)).decode()
        fields = _form_fields(text) if kind == FORM else _json_fields(text)
    except (ValueError, RecursionError) as error:
        raise ApiError(400, "malformed body") from error
    return Body(fields, kind == FORM)


def _media_type(environ: WSGIEnvironment) -> str:
    return str(environ.get("CONTENT_TYPE") or "").partition(";")[0].strip().lower()


def _form_fields(text: str) -> dict[str, str]:
    """Return the fields of a form; raise ValueError if it is malformed or has a field twice."""
    pairs = parse_qsl(text, keep_blank_values=True, max_num_fields=MAX_FIELDS, errors="strict")
    fields = dict(pairs)
    if len(fields) < len(pairs):
        raise ValueError("duplicate field")
    return fields


def _json_fields(text: str) -> dict[str, str]:
    """Return the fields of a JSON object with texts and numbers; raise ValueError for anything else."""
    value = json.loads(text or "{}")
    if not isinstance(value, dict) or len(value) > MAX_FIELDS:
        raise ValueError("not an object")
    kept = {name: field for name, field in value.items() if field is not None}
    if not all(type(field) in (str, int, float) for field in kept.values()):
        raise ValueError("not a text or a number")
    return {name: str(field) for name, field in kept.items()}

"""Incremental JSON reader: values across chunks, and damaged text."""

import io
import json
import re
from pathlib import Path

import pytest

from monitor.errors import MonitorError
from monitor.sampling.history_sources import json_reader
from monitor.sampling.history_sources.json_reader import JsonReader

pytestmark = pytest.mark.unit

KEYS = re.compile(r'"(name|list)"\s*:')
DOCUMENT = {"x": 'say "list": [', "name": "host", "list": [{"a": 12345}, 67890, "text", [], {"b": [1.5e3, None]}]}


@pytest.fixture(params=[1, 7, 2**18])
def chunk(request, monkeypatch):
    monkeypatch.setattr(json_reader, "CHUNK", request.param)


@pytest.mark.usefixtures("chunk")
@pytest.mark.parametrize("indent", [None, 2])
def test_reader_returns_values_of_concatenated_documents(indent):
    text = json.dumps(DOCUMENT, indent=indent)
    reader = JsonReader(Path("x"), io.StringIO(f"{text}\n{text}"))
    for _ in range(2):
        assert (reader.next_key(KEYS), reader.value()) == ("name", "host")
        assert reader.next_key(KEYS) == "list"
        assert list(reader.elements()) == DOCUMENT["list"]
    assert reader.next_key(KEYS) is None


@pytest.mark.usefixtures("chunk")
@pytest.mark.parametrize("text", ['"list": [1, 2', '"list": [1, {"a"', '"list": 1', '"list": [tru]', '"list":'])
def test_damaged_list_is_refused_with_the_path(text):
    reader = JsonReader(Path("x.json"), io.StringIO(text))
    assert reader.next_key(KEYS) == "list"
    with pytest.raises(MonitorError, match=r"^x\.json: "):
        list(reader.elements())


def test_value_beyond_the_limit_is_refused(monkeypatch):
    monkeypatch.setattr(json_reader, "CHUNK", 16)
    monkeypatch.setattr(json_reader, "MAX_VALUE", 64)
    reader = JsonReader(Path("x"), io.StringIO('"name": "' + 1000 * "a"))
    reader.next_key(KEYS)
    with pytest.raises(MonitorError, match="64"):
        reader.value()

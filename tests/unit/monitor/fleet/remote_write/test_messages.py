"""Remote write messages."""

import builtins

import pytest

from monitor.errors import ConfigError
from monitor.fleet.remote_write import messages
from monitor.fleet.remote_write.messages import check_libraries, write_requests
from tests.unit.monitor.fleet.fleets import START, running_fleet

pytestmark = pytest.mark.unit

cramjam = pytest.importorskip("cramjam")
pytest.importorskip("google.protobuf")


def decoded(body):
    request = messages._message_class("WriteRequest")()
    request.ParseFromString(bytes(cramjam.snappy.decompress_raw(body)))
    return [
        ({label.name: label.value for label in series.labels}, series.samples[0].value, series.samples[0].timestamp)
        for series in request.timeseries
    ]


def test_requests_have_the_series_of_each_host():
    (body,) = write_requests(running_fleet().fleet_state())
    series = decoded(body)
    assert len(series) == 33
    labels = {"__name__": "monitor_high_load_probability", "horizon": "5m", "host": "web2:9100", "job": "monitor"}
    assert (labels, 0.6, round(START * 1000)) in series


def test_labels_are_sorted():
    (body,) = write_requests(running_fleet().fleet_state())
    assert all(list(labels) == sorted(labels) for labels, _, _ in decoded(body))


def test_requests_are_bounded(monkeypatch):
    monkeypatch.setattr(messages, "MAX_SERIES", 10)
    sizes = [len(decoded(body)) for body in write_requests(running_fleet().fleet_state())]
    assert sizes == [10, 10, 10, 3]


def test_no_host_is_no_request():
    assert list(write_requests(running_fleet({}).fleet_state())) == []


def test_missing_library_is_named(monkeypatch):
    imported = builtins.__import__

    def refuse(name, *arguments, **options):
        if name == "cramjam":
            raise ImportError(name=name)
        return imported(name, *arguments, **options)

    monkeypatch.setattr(builtins, "__import__", refuse)
    with pytest.raises(ConfigError, match=r"needs cramjam: pip install"):
        check_libraries()

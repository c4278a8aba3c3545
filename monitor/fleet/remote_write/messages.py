"""Remote write messages: series of hosts as protobuf, compressed with snappy (remote write 1.0).

The schema is that of prometheus/prompb, with the fields that a sample needs. The libraries are those of the extra
`fleet`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cache
from typing import Any

from monitor.errors import ConfigError
from monitor.exporter.family_builders import PREFIX
from monitor.fleet.process.state import FleetState
from monitor.fleet.serving.host_series import exposed_rows, host_metrics

MAX_SERIES = 2000
"""Largest number of series of one request."""

JOB = "monitor"
"""Value of the label `job`, which a scrape would add."""

_FIELDS = {
    "Label": (("name", 1, "string"), ("value", 2, "string")),
    "Sample": (("value", 1, "double"), ("timestamp", 2, "int64")),
    "TimeSeries": (("labels", 1, "Label"), ("samples", 2, "Sample")),
    "WriteRequest": (("timeseries", 1, "TimeSeries"),),
}
"""Fields of each message: name, number and type; fields of a message type are repeated."""


def check_libraries() -> None:
    """Import the libraries of the extra `fleet`.

    Raises:
        ConfigError: one of them is not installed.
    """
    try:
        import cramjam  # noqa: F401, PLC0415
        import google.protobuf  # noqa: F401, PLC0415
    except ImportError as error:
        problem = f"fleet.remote_write_url: needs {error.name}: pip install 'monitor-early-warning[fleet]'"
        raise ConfigError([problem]) from error


def write_requests(state: FleetState) -> Iterator[bytes]:
    """Yield the bodies of the requests with the metrics of the exposed hosts, at most MAX_SERIES series each."""
    import cramjam  # noqa: PLC0415

    request = _message_class("WriteRequest")()
    for labels, value, milliseconds in _series(state):
        series = request.timeseries.add()
        for name, text in labels:
            series.labels.add(name=name, value=text)
        series.samples.add(value=value, timestamp=milliseconds)
        if len(request.timeseries) == MAX_SERIES:
            yield bytes(cramjam.snappy.compress_raw(request.SerializeToString()))
            request.Clear()
    if request.timeseries:
        yield bytes(cramjam.snappy.compress_raw(request.SerializeToString()))


def _series(state: FleetState) -> Iterator[tuple[list[tuple[str, str]], float, int]]:
    """Yield labels, sorted by name, value, and time in milliseconds since the epoch of each series."""
    table = state.table
    rows = exposed_rows(state)
    hosts = [table.hosts[row] for row in rows.tolist()]
    times = [round(1000 * at) for at in table.last_seen[rows].tolist()]
    for metric in host_metrics(table, rows):
        for host, at, value in zip(hosts, times, metric.values.tolist(), strict=True):
            if value == value:  # noqa: PLR0124 - NaN
                names = (("__name__", f"{PREFIX}{metric.name}"), ("host", host), ("job", JOB), *metric.labels)
                yield sorted(names), value, at


@cache
def _message_class(name: str) -> Any:
    """Return the class of a message of _FIELDS."""
    from google.protobuf import descriptor_pb2, descriptor_pool, message_factory  # noqa: PLC0415

    file = descriptor_pb2.FileDescriptorProto(name="monitor_remote.proto", package="prometheus", syntax="proto3")
    for message, fields in _FIELDS.items():
        _add_fields(file.message_type.add(name=message), fields)
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName(f"prometheus.{name}"))


def _add_fields(message: Any, fields: Iterable[tuple[str, int, str]]) -> None:
    from google.protobuf.descriptor_pb2 import FieldDescriptorProto  # noqa: PLC0415

    scalars = {
        "string": FieldDescriptorProto.TYPE_STRING,
        "double": FieldDescriptorProto.TYPE_DOUBLE,
        "int64": FieldDescriptorProto.TYPE_INT64,
    }
    for name, number, kind in fields:
        field = message.field.add(name=name, number=number, label=FieldDescriptorProto.LABEL_OPTIONAL)
        if kind in scalars:
            field.type = scalars[kind]
        else:
            field.type = FieldDescriptorProto.TYPE_MESSAGE
            field.type_name = f".prometheus.{kind}"
            field.label = FieldDescriptorProto.LABEL_REPEATED

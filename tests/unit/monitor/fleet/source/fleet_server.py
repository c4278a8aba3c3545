"""A server with the Prometheus API whose answers are functions of the query."""

import dataclasses
from contextlib import contextmanager

from monitor.config.fleet.fleet_section import FleetSection
from monitor.config.fleet.source_section import SourceSection
from monitor.fleet.source.prometheus_source import PrometheusSource
from monitor.sampling.history_sources.http_client import HttpClient
from monitor.sampling.history_sources.http_settings import HttpSettings
from tests.unit.monitor.sampling.history_sources.server import scripted_server, success

FIELDS = (("cpu_usage", "cpu{$selector}"), ("memory_usage", "memory{$selector}"))
SECTION = SourceSection(kind="prometheus", preset="none", fields=FIELDS, delay=0.0)


def vector(values):
    """Return an answer with one value per host."""
    result = [{"metric": {"instance": host}, "value": [0, str(value)]} for host, value in values.items()]
    return success({"resultType": "vector", "result": result})


def matrix(request, hosts):
    """Return an answer whose values are the times of the query in 1e-5 s, of each host."""
    start, end, step = (int(request.query[name][0]) for name in ("start", "end", "step"))
    values = [[at, str(at % 100_000 / 1e5)] for at in range(start, end + 1, step)]
    return success(
        {"resultType": "matrix", "result": [{"metric": {"instance": host}, "values": values} for host in hosts]}
    )


@contextmanager
def fleet_source(answer, fleet=None, now=lambda: 1e9, **keys):
    """Yield a source whose queries `answer` answers, its requests and the delays that it waits for."""
    delays = []
    with scripted_server(answer) as server:
        section = dataclasses.replace(SECTION, **keys)
        partial = section.partial_answers
        client = HttpClient(server.url, HttpSettings(timeout=5), accepts_partial=partial, sleep=delays.append)
        source = PrometheusSource(client, section, fleet or FleetSection(), now=now, sleep=delays.append)
        yield source, server.requests, delays

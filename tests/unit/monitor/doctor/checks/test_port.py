"""Tests of the checks of the HTTP endpoint."""

from dataclasses import replace

import pytest

from monitor.doctor.checks.port import assess_exposure, assess_port
from monitor.doctor.context import NO_DAEMON, DaemonProcess
from monitor.documents.doctor import CheckStatus
from monitor.queries.port_probe import PortProbe, ProbeFailure, Response

pytestmark = pytest.mark.unit

METRICS = Response(200, b"monitor_build_info{} 1\n", "monitor")
RUNNING = DaemonProcess(running=True, pid=10)
SILENT = Response(0, failure=ProbeFailure.TIMEOUT)
NOT_HTTP = Response(0, failure=ProbeFailure.NOT_HTTP)
REFUSED = Response(0, failure=ProbeFailure.REFUSED)
CLOSED = PortProbe(listening=False, healthy=REFUSED, metrics=REFUSED, pid=None)


def probe(healthy, metrics, pid=10):
    return PortProbe(listening=True, healthy=healthy, metrics=metrics, pid=pid)


@pytest.mark.parametrize(
    ("probed", "daemon", "status", "figure"),
    [
        (probe(Response(200, b"healthy\n"), METRICS), RUNNING, CheckStatus.OK, "/-/healthy 200, /metrics 200"),
        (probe(Response(401), Response(401)), RUNNING, CheckStatus.OK, "/-/healthy 401"),
        (probe(Response(200, secure=True), replace(METRICS, secure=True)), RUNNING, CheckStatus.OK, "HTTPS"),
        (probe(Response(503), METRICS), RUNNING, CheckStatus.FAILED, "/-/healthy 503"),
        (probe(Response(200), replace(METRICS, code=500)), RUNNING, CheckStatus.FAILED, "/metrics 500"),
        (probe(SILENT, SILENT), RUNNING, CheckStatus.FAILED, str(ProbeFailure.TIMEOUT)),
        (probe(Response(200), METRICS, pid=99), NO_DAEMON, CheckStatus.WARNING, "another database"),
        (probe(Response(404), Response(404), pid=99), RUNNING, CheckStatus.FAILED, "process 99"),
        (probe(NOT_HTTP, NOT_HTTP, pid=None), NO_DAEMON, CheckStatus.FAILED, str(ProbeFailure.NOT_HTTP)),
        (CLOSED, RUNNING, CheckStatus.FAILED, ""),
        (CLOSED, NO_DAEMON, CheckStatus.SKIPPED, ""),
        (CLOSED, DaemonProcess(running=None), CheckStatus.SKIPPED, ""),
    ],
)
def test_port_is_assessed_by_responses_and_process(probed, daemon, status, figure):
    result = assess_port("127.0.0.1:10190", probed, daemon)
    assert result.status is status
    assert figure in result.message


@pytest.mark.parametrize(
    ("host", "response", "status"),
    [
        ("127.0.0.1", METRICS, CheckStatus.OK),
        ("::1", METRICS, CheckStatus.OK),
        ("localhost", METRICS, CheckStatus.OK),
        ("0.0.0.0", METRICS, CheckStatus.WARNING),
        ("0.0.0.0", Response(401), CheckStatus.OK),
        ("192.0.2.1", replace(METRICS, secure=True), CheckStatus.OK),
    ],
)
def test_metrics_readable_for_other_hosts_are_a_warning(host, response, status):
    assert assess_exposure(host, response).status is status

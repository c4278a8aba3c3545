"""Live documents: jobs that hang, and the answer of a daemon."""

import json
from dataclasses import replace

import pytest

from monitor.config.loader import Config
from monitor.documents.live import HungJob, LiveStatus, hung_jobs, read_live_status
from monitor.documents.status import daemon_status_document
from monitor.documents.storage import storage_status
from monitor.queries.port_probe import Response
from monitor.system.json_codec import to_json
from tests.unit.monitor.conftest import NOW

pytestmark = pytest.mark.unit


def hanging(state):
    job = replace(state.jobs["sampling_cycle"], hung=True, hung_since=NOW - 600)
    return replace(state, jobs={**state.jobs, "retention": job})


def test_hung_jobs_have_the_time_since_which_they_hang(state):
    assert hung_jobs(state.jobs) == ()
    assert hung_jobs(hanging(state).jobs) == (HungJob("retention", NOW - 600),)


def test_live_status_is_read_from_the_status_document(state, monkeypatch):
    body = to_json(daemon_status_document(hanging(state), NOW)).encode()
    monkeypatch.setattr("monitor.documents.live.request", lambda *_: Response(200, body))
    expected = LiveStatus(True, storage_status(state.storage), (HungJob("retention", NOW - 600),))
    assert read_live_status(Config()) == expected


@pytest.mark.parametrize(
    "response",
    [
        Response(401, b""),
        Response(0),
        Response(200, b"<html>"),
        Response(200, b"[" * 100_000),
        Response(200, json.dumps({"sampling": True, "storage": None, "hung_jobs": []}).encode()),
    ],
)
def test_live_status_is_unknown_without_a_usable_answer(response, monkeypatch):
    monkeypatch.setattr("monitor.documents.live.request", lambda *_: response)
    assert read_live_status(Config()) is None

"""Notifications of a running fleet process."""

import json

import pytest

from tests.unit.monitor.fleet.fleets import FakeSource
from tests.unit.monitor.fleet.process.test_fleet_process import predicts, running, wait_for, write_config

pytestmark = pytest.mark.unit


def test_warning_of_a_host_reaches_a_channel(tmp_path):
    received = tmp_path / "events"
    channel = (
        f'[notify.channels.ops]\nkind = "command"\nargv = ["sh", "-c", "cat >> {received}; echo >> {received}"]\n'
    )
    source = FakeSource({"web1:9100": 0.2, "web2:9100": 0.6})
    with running(write_config(tmp_path, channel), source) as process:
        wait_for(lambda: predicts(process))
        wait_for(lambda: received.exists() and received.read_text().strip())
        wait_for(lambda: process.holder.state().channels["ops"].outcomes["delivered"] == 1)
    event = json.loads(received.read_text().splitlines()[0])
    assert (event["host"], event["change"]) == ("web2:9100", "raised")

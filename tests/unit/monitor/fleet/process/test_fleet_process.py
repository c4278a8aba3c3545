"""Fleet process: start, restart, reload and stop, with a fake source and a real database."""

import json
import time
import urllib.error
import urllib.request
from contextlib import closing, contextmanager, suppress

import pytest

from monitor.config.loader import load_config
from monitor.daemon.sd_notify import Notifier
from monitor.errors import MonitorError
from monitor.fleet.process.fleet_process import FleetProcess
from monitor.fleet.process.parts import FleetFactory
from storage import open_database
from storage.fleet.repository import FleetRepository
from tests.unit.monitor.fleet.fleets import FakeForecaster, FakeSource

pytestmark = pytest.mark.unit


@pytest.fixture
def source():
    return FakeSource({"web1:9100": 0.2, "web2:9100": 0.6})


def write_config(directory, more=""):
    path = directory / "config.toml"
    path.write_text(
        f'[source]\nkind = "prometheus"\nurl = "http://127.0.0.1:9"\n'
        f'[storage]\nurl = "sqlite:///{directory}/fleet.db"\n[web]\nlisten = "127.0.0.1:0"\n{more}'
    )
    return path


def factory(source):
    return FleetFactory(source=lambda _: source, forecaster=lambda *_: FakeForecaster())


@contextmanager
def running(path, source):
    process = FleetProcess(load_config(path), Notifier({}), factory(source))
    with closing(process):
        yield process


def wait_for(check):
    deadline = time.monotonic() + 20
    while not check():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def fetch(process, path):
    with urllib.request.urlopen(f"{process.holder.page_url.rstrip('/')}{path}", timeout=5) as response:
        return response.status, response.read().decode()


def predicts(process):
    return len(process.holder.state().table.hosts) == 2


def test_process_predicts_at_once_and_serves(tmp_path, source):
    with running(write_config(tmp_path), source) as process:
        wait_for(lambda: predicts(process))
        assert fetch(process, "/-/ready") == (200, "predicting for 2 of 2 hosts\n")
        assert json.loads(fetch(process, "/api/v1/fleet")[1])["hosts"][0]["host"] == "web2:9100"
        assert "monitor_fleet_hosts 2.0" in fetch(process, "/metrics")[1]


def test_restart_continues_warnings_without_duplicates(tmp_path, source):
    path = write_config(tmp_path)
    for _ in range(2):
        with running(path, source) as process:
            wait_for(lambda process=process: predicts(process))
    with open_database(f"sqlite:///{tmp_path}/fleet.db") as database:
        repository = FleetRepository(database)
        assert [(warning.host, warning.horizon) for warning in repository.warnings(0.0)] == [
            ("web2:9100", 300.0),
            ("web2:9100", 900.0),
        ]
        assert len(repository.predictions()) == 4
        assert [host.host for host in repository.hosts()] == ["web1:9100", "web2:9100"]


def test_process_starts_while_the_source_is_away(tmp_path, source):
    source.error = "connection refused"
    with running(write_config(tmp_path), source) as process:
        wait_for(lambda: process.holder.state().cycle.source_errors)
        with pytest.raises(urllib.error.HTTPError) as caught:
            fetch(process, "/-/ready")
        with caught.value as answer:
            assert answer.read() == b"no prediction: source unavailable: connection refused\n"
        assert fetch(process, "/-/healthy")[0] == 200


def test_second_process_on_a_database_is_refused(tmp_path, source):
    path = write_config(tmp_path)
    with running(path, source), pytest.raises(MonitorError, match="another daemon"):
        FleetProcess(load_config(path), Notifier({}), factory(source))


def test_reload_keeps_hosts_and_applies_the_options(tmp_path, source):
    path = write_config(tmp_path)
    with running(path, source) as process:
        wait_for(lambda: predicts(process))
        write_config(tmp_path, '[log]\nlevel = "warning"\n')
        calls = len(source.history_calls)
        process.reload()
        state = process.holder.state()
        assert state.config.log.level == "warning"
        assert (state.reload_successful, len(state.table.hosts)) == (True, 2)
        assert len(source.history_calls) == calls


def test_reload_with_another_definition_of_high_load_reads_the_histories_again(tmp_path, source):
    path = write_config(tmp_path)
    with running(path, source) as process:
        wait_for(lambda: predicts(process))
        calls = len(source.history_calls)
        write_config(tmp_path, "[high_load]\nrules = [{ cpu_usage = 0.7 }]\n")
        process.reload()
        wait_for(lambda: len(source.history_calls) > calls and predicts(process))
        assert {warning.host for warning in process.holder.state().warnings} == {"web2:9100"}


@pytest.mark.parametrize("more", ["[nonsense]\n", '[source]\nkind = "host"\n'])
def test_refused_reload_changes_nothing(tmp_path, source, more):
    path = write_config(tmp_path)
    with running(path, source) as process:
        wait_for(lambda: predicts(process))
        path.write_text(more)
        process.reload()
        state = process.holder.state()
        assert (state.reload_successful, state.reload_failures) == (False, 1)
        assert state.config.source.is_fleet


def test_process_stops_without_a_job(tmp_path, source):
    process = FleetProcess(load_config(write_config(tmp_path)), Notifier({}), factory(source))
    with suppress(OSError):
        fetch(process, "/-/healthy")
    assert process.close()

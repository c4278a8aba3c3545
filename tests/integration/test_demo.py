"""`monitor demo`: replay of the bundled trace with the bundled model, and errors at the start."""

import json
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request

import pytest

from model.forecast.serialization import loads
from monitor.cli.main import main
from monitor.demo import bundle
from monitor.demo.session import write_config
from monitor.sampling.trace_reader import read_trace
from monitor.stores import open_stores
from monitor.training.model_archive import unpack_archive

from .receivers import HttpReceiver

pytestmark = pytest.mark.integration


class Demo:
    """A demonstration in its own process, with a temporary directory."""

    def __init__(self, directory, *arguments):
        self.directory = directory
        command = [sys.executable, "-u", "-m", "monitor", "demo", "--listen", "127.0.0.1:0", *arguments]
        environment = {"TMPDIR": str(directory), "PATH": "/usr/bin:/bin"}
        self.process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment
        )
        self.lines = []

    def read_until(self, pattern):
        """Return the match of the first line that matches a pattern."""
        for line in self.process.stdout:
            self.lines.append(line)
            if match := re.search(pattern, line):
                return match
        pytest.fail("".join(self.lines) + self.process.stderr.read())

    def stop(self):
        """Press Ctrl-C; return the exit code and the messages."""
        self.process.send_signal(signal.SIGINT)
        _, errors = self.process.communicate(timeout=20)
        return self.process.returncode, errors


def get(url):
    with urllib.request.urlopen(url, timeout=10) as response:
        return response.read().decode()


@pytest.fixture(scope="module")
def kept(tmp_path_factory):
    """Run the demonstration as fast as possible up to the first anomaly; return it with its documents."""
    directory = tmp_path_factory.mktemp("demo")
    with HttpReceiver() as receiver:
        demo = Demo(directory, "--speed", "3600", "--keep", str(directory / "kept"), "--webhook", receiver.url)
        demo.received = receiver.requests
        url = demo.read_until(r"page: (\S+)")[1]
        demo.read_until("anomaly: ")
        end = time.monotonic() + 60
        while receiver.changes.count("raised") < 4:
            assert time.monotonic() < end, receiver.keys
            time.sleep(0.05)
        demo.url = url
    documents = {name: json.loads(get(f"{url}api/v1/{name}")) for name in ("status", "scorecard", "anomalies")}
    page = get(url)
    code, errors = demo.stop()
    return demo, (code, errors), documents, page


def test_warning_precedes_the_high_load_by_minutes_as_announced_in_the_introduction(kept):
    with open_stores(f"sqlite:///{kept[0].directory}/kept/monitor.db") as stores:
        predictions = stores.predictions.between(bundle.REPLAY_START - 1, bundle.HIGH_LOAD_AT, 900.0)
        warnings = [prediction.at for prediction in predictions if prediction.warning]
        onsets = stores.scores.onsets_since(900.0, bundle.REPLAY_START)
    assert warnings[0] == bundle.WARNING_AT
    assert onsets[0].at == bundle.HIGH_LOAD_AT
    assert onsets[0].lead_time == bundle.HIGH_LOAD_AT - bundle.WARNING_AT
    assert onsets[0].lead_time >= 300


def test_anomaly_comes_within_the_first_minute_at_the_default_speed(kept):
    (newest, *_) = kept[2]["anomalies"]
    assert newest["started_at"] == bundle.ANOMALY_AT
    assert (bundle.ANOMALY_AT - bundle.REPLAY_START) / 60 < 60


def test_page_and_documents_show_the_replay_with_scores_and_scorecard(kept):
    _, _, documents, page = kept
    assert f"replay of {bundle.TITLE}, 3600 times as fast" in page
    assert {score["horizon_name"] for score in documents["status"]["scores"]} == {"5m", "15m", "1h"}
    assert documents["scorecard"]["any_horizon"]["announced"] >= 1
    assert any(len(horizon["scores"]) == 4 for horizon in documents["scorecard"]["horizons"])


def test_webhook_receives_the_first_warning_of_the_replay(kept):
    demo, _, _, _ = kept
    event = next(event for _, _, event in demo.received if event["kind"] == "high_load")
    assert (event["kind"], event["change"], event["at"]) == ("high_load", "raised", bundle.WARNING_AT)


def test_webhook_receives_each_warning_and_the_end_of_each_high_load(kept):
    events = [event for _, _, event in kept[0].received if event["kind"] == "high_load"]
    changes = [(round((event["at"] - bundle.WARNING_AT) / 60), event["change"]) for event in events]
    assert changes[:7] == [
        (0, "raised"),
        (13, "escalated"),
        (17, "cleared"),
        (29, "raised"),
        (32, "cleared"),
        (37, "raised"),
        (42, "cleared"),
    ]


def test_notifications_name_the_demonstration_and_its_page(kept):
    demo = kept[0]
    for _, _, event in demo.received:
        assert (event["host"], event["url"]) == (bundle.HOST, demo.url)
        assert bundle.HOST in event["title"]
    anomaly = next(event for _, _, event in demo.received if event["kind"] == "anomaly")
    assert "expected" in anomaly["contributions"][0]["text"]
    assert f"--config {demo.directory}/kept/config.toml anomalies show" in anomaly["details"]


def test_unreachable_receiver_is_reported_on_the_terminal(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"http://127.0.0.1:{server.getsockname()[1]}/secret"
    demo = Demo(tmp_path, "--speed", "3600", "--webhook", url)
    line = demo.read_until("notification not delivered: .*")[0]
    assert "refused" in line
    assert "secret" not in line
    assert demo.stop()[0] == 0


def test_interrupt_ends_it_and_keeps_the_directory(kept):
    demo, ended, _, _ = kept
    assert ended == (0, "")
    assert {path.name for path in (demo.directory / "kept").iterdir()} >= {"config.toml", "monitor.db"}
    # The temporary directory is not used.
    assert [path.name for path in demo.directory.iterdir()] == ["kept"]


def test_interrupt_in_the_fast_forward_removes_the_temporary_directory(tmp_path):
    demo = Demo(tmp_path)
    demo.read_until("page: ")
    assert len(list(tmp_path.iterdir())) == 1
    assert demo.stop() == (0, "")
    assert list(tmp_path.iterdir()) == []


def test_used_port_and_unusable_directories_are_one_clear_error(tmp_path, capsys, monkeypatch):
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"127.0.0.1:{server.getsockname()[1]}"
        assert main(["demo", "--listen", address]) == 1
        error = capsys.readouterr().err
        assert address in error
        assert "--listen" in error
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "file").touch()
    assert main(["demo", "--keep", str(tmp_path / "full")]) == 1
    assert "is not empty" in capsys.readouterr().err
    assert main(["demo", "--keep", str(tmp_path / "full" / "file" / "x")]) == 1
    assert "full/file/x" in capsys.readouterr().err
    assert main(["demo", "--webhook", "ftp://example"]) == 2
    error = capsys.readouterr().err
    assert (error.count("\n"), "--webhook: " in error, "config.toml" in error) == (1, True, False)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "missing"))
    assert main(["demo"]) == 1
    assert "--keep DIR" in capsys.readouterr().err


def test_configuration_has_the_rule_that_the_introduction_states(tmp_path):
    config = write_config(tmp_path, "127.0.0.1:0", "http://127.0.0.1:9/")
    assert (config.rules.rules, config.rules.sustained) == (((("cpu_usage", 0.5),),), 120.0)
    assert bundle.RULE == "CPU at least 50 % for 2 minutes"
    assert dict(config.notify.channels)["demo"].timeout == 3.0


def test_bundled_model_learned_only_on_samples_before_the_replay():
    archive = unpack_archive(bundle.MODEL.read_bytes())
    predictor = loads(archive.predictor)
    assert predictor.fitted_until < bundle.TRAINED_UNTIL
    assert (predictor.pretrained, predictor.pretrained_horizons) == (None, ())
    assert archive.detector is not None
    trace = read_trace(bundle.TRACE)
    assert (trace.times[0], trace.columns) == (bundle.EPOCH, ("cpu_usage", "memory_usage", "disk_busy"))
    assert bundle.TRACE.stat().st_size < 300_000

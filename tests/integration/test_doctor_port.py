"""Tests of `monitor doctor` on real ports and a real daemon."""

import contextlib
import http.server
import os
import signal
import subprocess
import sys
import threading
import time
import urllib.request

import pytest

from storage import SampleRepository
from storage.inspection import open_read_only

pytestmark = pytest.mark.integration


def configured_port(admin):
    return int(admin.config.read_text().rpartition(":")[2].strip('"\n'))


class OtherProgram(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_error(404)

    def log_message(self, *_):
        pass


def test_doctor_recognises_another_program_on_the_port(admin, doctor):
    admin.fill(rows=1)
    port = configured_port(admin)
    with http.server.ThreadingHTTPServer(("127.0.0.1", port), OtherProgram) as server:
        threading.Thread(target=server.serve_forever).start()
        code, results = doctor()
        server.shutdown()
    assert (code, results["port"]["status"]) == (1, "failed")
    assert f"process {os.getpid()}" in results["port"]["message"]


def test_doctor_distinguishes_healthy_and_hung_daemon(admin, doctor):
    admin.config.write_text(admin.config.read_text().replace('interval = "10s"', 'interval = "1s"'))
    port = configured_port(admin)
    command = [sys.executable, "-m", "monitor", "--config", str(admin.config)]
    daemon = subprocess.Popen([*command, "run"], stderr=subprocess.DEVNULL)
    try:
        wait_until_ready(daemon, port)
        code, results = doctor()
        assert code == 0, results
        for name in ("versions", "newest_sample", "database", "integrity", "write_lock", "port"):
            assert results[name]["status"] == "ok", results[name]
        assert f"process {daemon.pid}," in results["daemon"]["message"]
        daemon.send_signal(signal.SIGSTOP)
        with open_read_only(admin.url) as database:
            stopped = SampleRepository(database).last().at
        while time.time() < stopped + 11:
            time.sleep(0.2)
        code, results = doctor()
        assert code == 1
        assert [results[name]["status"] for name in ("newest_sample", "port")] == ["failed", "failed"]
        assert results["database"]["status"] == "ok"
    finally:
        daemon.kill()
        daemon.wait()


def wait_until_ready(daemon, port):
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        assert daemon.poll() is None
        with contextlib.suppress(OSError), urllib.request.urlopen(f"http://127.0.0.1:{port}/-/ready", timeout=5):
            return
        time.sleep(0.1)
    pytest.fail("the daemon did not become ready")

"""`monitor demo` as a user runs it: a warning minutes ahead, on /metrics and on the page.

With $MONITOR_SCREENSHOTS set to a directory, the pictures of the page in docs/images are written there.
"""

import os
import re
import signal
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

from monitor.demo import bundle

from .test_page import browser, drawn_charts, save_picture, wait_until

pytestmark = pytest.mark.e2e

__all__ = ["browser"]

PICTURES = os.environ.get("MONITOR_SCREENSHOTS")

SPEED = 15 if PICTURES else 300
"""Speed of the replay: the pictures need a longer warning."""


@pytest.fixture
def demo(tmp_path):
    """Start a demonstration; return its process."""
    command = [sys.executable, "-u", "-m", "monitor", "demo", "--listen", "127.0.0.1:0", "--speed", str(SPEED)]
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment)
    yield process
    if process.poll() is None:
        process.kill()
    process.communicate()


def metrics(url):
    with urllib.request.urlopen(f"{url}metrics", timeout=10) as response:
        return response.read().decode()


def test_warning_is_active_minutes_before_the_high_load(demo, browser, tmp_path):
    url = None
    while url is None:
        line = demo.stdout.readline()
        assert line, demo.stderr.read()
        url = match[1] if (match := re.search(r"page: (\S+)", line)) else None
    end = time.monotonic() + 120
    while 'monitor_high_load_warning{horizon="15m"} 1.0' not in (text := metrics(url)) or is_fast_forward(text):
        assert time.monotonic() < end
        assert demo.poll() is None, demo.stderr.read()
        time.sleep(0.05)
    assert "monitor_high_load_active 0.0" in text
    assert float(re.search(r"^monitor_host_cpu_usage_ratio (\S+)", text, re.MULTILINE)[1]) < 0.1
    if PICTURES:
        for name, width, dark in (("light", 1200, False), ("dark", 1200, True), ("phone", 390, False)):
            driver = browser(width, dark=dark)
            driver.get(url)
            wait_until(lambda driver=driver: "probability" in drawn_charts(driver))
            save_picture(driver, Path(PICTURES) / f"page-{name}.png")
    while "monitor_high_load_active 1.0" not in metrics(url):
        assert time.monotonic() < end
        time.sleep(0.05)
    demo.send_signal(signal.SIGINT)
    assert demo.wait(20) == 0
    assert list(tmp_path.iterdir()) == []


def is_fast_forward(text):
    """Return True before the end of the fast-forward."""
    at = float(re.search(r"^monitor_prediction_timestamp_seconds (\S+)", text, re.MULTILINE)[1])
    return at < bundle.REPLAY_START

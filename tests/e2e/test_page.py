"""The page for people, as a browser shows it: the real daemon, real Chromium, light and dark, wide and narrow."""

import os
import shutil
import signal
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest
from selenium import webdriver
from selenium.webdriver.chrome.service import Service

from .conftest import free_port
from .showcase import build

pytestmark = pytest.mark.e2e

ROOT = Path(__file__).parents[2]
FLAGS = (
    "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync", "--hide-scrollbars",
)  # fmt: skip


def needed(tool):
    found = shutil.which(tool)
    if found is None:
        message = f"NOT TESTED: {tool} not installed (apt-get install chromium chromium-driver)"
        if os.environ.get("CI"):
            pytest.fail(message)
        pytest.skip(message)
    return found


@pytest.fixture(scope="module")
def daemon(tmp_path_factory):
    """The address of a daemon on some days of history, and the process."""
    needed("chromium")
    directory, port = tmp_path_factory.mktemp("page"), free_port()
    config = build(directory, port, time.time())
    with (directory / "log").open("wb") as log:
        process = subprocess.Popen([sys.executable, "-m", "monitor", "--config", config, "run"], stderr=log)
    address = f"http://127.0.0.1:{port}"
    end = time.monotonic() + 60
    while not watches(address):
        assert process.poll() is None, (directory / "log").read_text()
        assert time.monotonic() < end, (directory / "log").read_text()
        time.sleep(0.5)
    yield address, process
    if process.poll() is None:
        process.send_signal(signal.SIGCONT)
        process.terminate()
    process.wait(10)


def watches(address):
    """Whether it predicts, and its watch for anomalies has caught up."""
    try:
        with urllib.request.urlopen(f"{address}/metrics", timeout=2) as answer:
            page = answer.read()
    except OSError:
        return False
    return b"monitor_high_load_probability{" in page and b"monitor_anomaly_evidence_ratio{" in page


@pytest.fixture
def browser():
    """Makes browsers of a width, in light or dark, with or without scripts."""
    opened = []

    def make(width=1200, *, dark=False, scripts=True):
        options = webdriver.ChromeOptions()
        options.binary_location = needed("chromium")
        for flag in FLAGS:
            options.add_argument(flag)
        options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
        driver = webdriver.Chrome(options=options, service=Service(needed("chromedriver")))
        opened.append(driver)
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [scheme]})
        size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 600}
        driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
        driver.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": not scripts})
        return driver

    yield make
    for driver in opened:
        driver.quit()


def until(condition, seconds=15):
    end = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < end, "not in time"
        time.sleep(0.1)
    return found


def drawn(driver):
    """The charts with a picture in which something stands."""
    return driver.execute_script(
        """return [...document.querySelectorAll("[data-chart]")].filter((place) => {
          const canvas = place.querySelector("canvas");
          if (!canvas || !canvas.width || place.closest("figure").hidden) return false;
          const bits = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
          return bits.some((bit) => bit > 0);
        }).map((place) => place.dataset.chart)"""
    )


def everything(driver, picture):
    """Keeps a picture of the upper half, where $MONITOR_SCREENSHOTS says: those in docs are made so."""
    height = driver.execute_script("return document.documentElement.scrollHeight")
    width = driver.execute_script("return innerWidth")
    size = {"width": width, "height": min(height, 1700), "deviceScaleFactor": 1, "mobile": False}
    driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    time.sleep(0.5)
    assert driver.save_screenshot(str(picture))


def complaints(driver):
    """What the browser has to say of the page; not of how the test looks into its pictures."""
    log = driver.get_log("browser")
    return [entry for entry in log if entry["level"] in {"SEVERE", "WARNING"} and entry["source"] != "rendering"]


CHARTS = ["probability", "load", "traffic", "anomaly", "loss", "gradient"]


@pytest.mark.parametrize(
    ("name", "width", "dark"), [("light", 1200, False), ("dark", 1200, True), ("phone", 390, False)]
)
def test_it_shows_all_curves_and_fits_the_width(daemon, browser, tmp_path, name, width, dark):
    driver = browser(width, dark=dark)
    driver.get(daemon[0])
    until(lambda: set(drawn(driver)) == set(CHARTS))
    assert driver.execute_script("return document.documentElement.scrollWidth") <= width
    assert complaints(driver) == []
    ground = driver.execute_script("return getComputedStyle(document.body).backgroundColor")
    assert (sum(int(part) for part in ground[4:-1].split(",")) < 200) is dark
    everything(driver, Path(os.environ.get("MONITOR_SCREENSHOTS") or tmp_path) / f"page-{name}.png")


def test_without_scripts_every_figure_is_there(daemon, browser):
    driver = browser(scripts=False)
    driver.get(daemon[0])
    text = driver.find_element("tag name", "main").text
    for told in (
        "within 5 min",
        "usually",
        "cpu_usage",
        "memory_usage 70%",
        "5m",
        "Model 1",
        "Gradients healthy",
        "0.weight",
    ):
        assert told in text, told
    assert "The curves need JavaScript" in text
    assert not driver.find_element("css selector", ".ranges").is_displayed()


def test_the_figures_are_renewed_and_the_title_follows(daemon, browser):
    driver = browser()
    driver.get(daemon[0])
    last = driver.find_element("css selector", "#state time").text
    until(lambda: driver.find_element("css selector", "#state time").text != last, 40)
    assert driver.title.endswith(driver.find_element("css selector", ".host").text)


def test_another_range_asks_for_other_curves(daemon, browser):
    driver = browser()
    driver.get(daemon[0])
    until(lambda: "probability" in drawn(driver))
    driver.find_element("css selector", "[data-range='24h']").click()
    asked = "return performance.getEntriesByType('resource').map((entry) => entry.name)"
    until(lambda: any("range=24h" in name for name in driver.execute_script(asked)))
    assert driver.find_element("css selector", "[data-range='24h']").get_attribute("aria-pressed") == "true"
    assert driver.find_element("css selector", "[data-range='6h']").get_attribute("aria-pressed") == "false"


def test_nothing_comes_from_another_host(daemon, browser):
    driver = browser()
    driver.get(daemon[0])
    until(lambda: "probability" in drawn(driver))
    names = driver.execute_script("return performance.getEntriesByType('resource').map((entry) => entry.name)")
    assert len(names) >= 6
    assert all(name.startswith(daemon[0] + "/") for name in names)


def test_a_daemon_that_does_not_answer_any_more_is_told(daemon, browser):
    """The last one: it stops the daemon."""
    driver = browser()
    driver.get(daemon[0])
    until(lambda: "probability" in drawn(driver))
    daemon[1].terminate()
    daemon[1].wait(10)
    lost = driver.find_element("id", "lost")
    assert not lost.is_displayed()
    until(lost.is_displayed, 30)
    assert lost.text.startswith("No answer since")

"""HTML page in Chromium: charts, layout, colour schemes, refresh, and a daemon that stops responding.

With $MONITOR_SCREENSHOTS set to a directory, the pictures of an anomaly event are written there.
"""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
import urllib.parse
import urllib.request
from contextlib import suppress
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from selenium import webdriver
from selenium.common.exceptions import NoSuchElementException, StaleElementReferenceException
from selenium.webdriver import ActionChains
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.keys import Keys

from .conftest import free_port
from .showcase import PEAK, build

pytestmark = pytest.mark.e2e

CHROMIUM_FLAGS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
)
CHARTS = {"probability", "anomaly", "cpu", "memory", "disk", "network", "pressure"}
PICTURE_HEIGHT = 1700
REQUESTED_URLS = "return performance.getEntriesByType('resource').map((entry) => entry.name)"
DRAWN_CHARTS = """
return [...document.querySelectorAll("[data-chart]")].filter((place) => {
  const canvas = place.querySelector("canvas");
  if (!canvas || !canvas.width || place.closest("figure").hidden) return false;
  const pixels = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
  return pixels.some((value) => value > 0);
}).map((place) => place.dataset.chart)
"""


def require(tool):
    """Return the path of a tool; skip the test if it is not installed, or fail in CI."""
    path = shutil.which(tool)
    if path is None:
        message = f"NOT TESTED: {tool} not installed (apt-get install chromium chromium-driver)"
        if os.environ.get("CI"):
            pytest.fail(message)
        pytest.skip(message)
    return path


@pytest.fixture(scope="module")
def daemon(tmp_path_factory):
    """Run a daemon on a demonstration database; return its URL and its process."""
    require("chromium")
    directory = tmp_path_factory.mktemp("page")
    log_file = directory / "log"
    port = free_port()
    config = build(directory, port, time.time())
    with log_file.open("wb") as log:
        process = subprocess.Popen([sys.executable, "-m", "monitor", "--config", config, "run"], stderr=log)
    url = f"http://127.0.0.1:{port}"
    # The detector starts within a minute.
    end = time.monotonic() + 120
    while not is_predicting(url):
        assert process.poll() is None, log_file.read_text()
        assert time.monotonic() < end, log_file.read_text()
        time.sleep(0.5)
    yield url, process
    if process.poll() is None:
        process.send_signal(signal.SIGCONT)
        process.terminate()
    process.wait(10)


def is_predicting(url):
    """Return True once there are predictions and the anomaly detector has caught up."""
    try:
        with urllib.request.urlopen(f"{url}/metrics", timeout=2) as response:
            metrics = response.read()
    except OSError:
        return False
    return b"monitor_high_load_probability{" in metrics and b"monitor_anomaly_evidence_ratio{" in metrics


@pytest.fixture
def browser():
    """Return a factory of browsers of a width, in a colour scheme, with or without scripts."""
    drivers = []

    def start(width=1200, *, dark=False, scripts=True):
        options = webdriver.ChromeOptions()
        options.binary_location = require("chromium")
        for flag in CHROMIUM_FLAGS:
            options.add_argument(flag)
        options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
        driver = webdriver.Chrome(options=options, service=Service(require("chromedriver")))
        drivers.append(driver)
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [scheme]})
        set_window(driver, width, 900, mobile=width < 600)
        driver.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": not scripts})
        return driver

    yield start
    for driver in drivers:
        driver.quit()


def set_window(driver, width, height, *, mobile=False):
    metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": mobile}
    driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)


def wait_until(condition, seconds=15):
    """Wait until a condition holds; an element of a page that is just replaced counts as not yet there."""
    end = time.monotonic() + seconds
    while True:
        with suppress(StaleElementReferenceException, NoSuchElementException):
            if result := condition():
                return result
        assert time.monotonic() < end, "condition not met in time"
        time.sleep(0.1)


def element(driver, selector):
    return driver.find_element("css selector", selector)


def current_text(driver, selector):
    """Return the text of an element in one call, because the page replaces its elements when it refreshes."""
    return driver.execute_script("return document.querySelector(arguments[0]).innerText", selector)


def drawn_charts(driver):
    """Return the names of the visible charts whose canvas is not empty."""
    return set(driver.execute_script(DRAWN_CHARTS))


def save_picture(driver, path):
    """Save a picture of the upper part of the page."""
    height = driver.execute_script("return document.documentElement.scrollHeight")
    width = driver.execute_script("return innerWidth")
    set_window(driver, width, min(height, PICTURE_HEIGHT))
    time.sleep(0.5)
    assert driver.save_screenshot(str(path))


def console_messages(driver):
    """Return errors and warnings of the console, except those about how the test reads the canvases."""
    log = driver.get_log("browser")
    return [entry for entry in log if entry["level"] in {"SEVERE", "WARNING"} and entry["source"] != "rendering"]


@pytest.mark.parametrize(
    ("name", "width", "dark"), [("light", 1200, False), ("dark", 1200, True), ("phone", 390, False)]
)
def test_page_draws_all_charts_and_fits_the_width(daemon, browser, tmp_path, name, width, dark):
    driver = browser(width, dark=dark)
    driver.get(daemon[0])
    wait_until(lambda: drawn_charts(driver) == CHARTS)
    assert driver.execute_script("return document.documentElement.scrollWidth") <= width
    assert console_messages(driver) == []
    background = driver.execute_script("return getComputedStyle(document.body).backgroundColor")
    brightness = sum(int(channel) for channel in background[4:-1].split(","))
    assert (brightness < 200) is dark
    save_picture(driver, tmp_path / f"page-{name}.png")


@pytest.mark.parametrize(
    ("path", "charts"), [("/model", {"loss", "gradient"}), ("/config", set()), ("/maintenance", set())]
)
def test_pages_of_model_and_configuration_fit_a_phone(daemon, browser, path, charts):
    driver = browser(390)
    driver.get(daemon[0] + path)
    wait_until(lambda: drawn_charts(driver) == charts)
    assert driver.execute_script("return document.documentElement.scrollWidth") <= 390
    assert console_messages(driver) == []


def test_page_shows_all_figures_without_scripts(daemon, browser):
    driver = browser(scripts=False)
    driver.get(daemon[0])
    assert len(driver.find_elements("css selector", "#prediction .card")) == 3
    assert element(driver, "#host tbody tr td").text == "cpu_usage"
    assert element(driver, "#capacity h2").text == "File systems and memory"
    assert element(driver, "#quality tbody tr td").text == "5m"
    assert element(driver, "#anomalies tbody tr").text
    assert element(driver, "noscript p").is_displayed()
    assert not element(driver, ".controls").is_displayed()
    driver.get(f"{daemon[0]}/model")
    assert element(driver, "#model tbody tr").text
    assert element(driver, "#training-summary tbody tr td").text == "0.weight"
    assert "serving" in element(driver, "#registry tbody tr").text
    driver.get(f"{daemon[0]}/config")
    assert "cpu_usage" in element(driver, "#rules tbody tr").text
    assert "monitor.db" in element(driver, "#configuration").text


def test_page_refreshes_its_figures_and_title(daemon, browser):
    driver = browser()
    driver.get(daemon[0])
    first = current_text(driver, "#status time")
    wait_until(lambda: current_text(driver, "#status time") != first, 40)
    assert driver.title.endswith(current_text(driver, ".host"))


def test_page_fetches_another_history_for_another_range(daemon, browser):
    driver = browser()
    driver.get(daemon[0])
    wait_until(lambda: "probability" in drawn_charts(driver))
    element(driver, "[data-range='24h']").click()
    wait_until(lambda: any("range=24h" in url for url in driver.execute_script(REQUESTED_URLS)))
    assert element(driver, "[data-range='24h']").get_attribute("aria-pressed") == "true"
    assert element(driver, "[data-range='6h']").get_attribute("aria-pressed") == "false"


def requested_histories(driver):
    """Return the requests of the history that the page has made."""
    return [url for url in driver.execute_script(REQUESTED_URLS) if "/api/v1/history" in url]


def test_page_zooms_to_a_dragged_period_which_survives_a_reload(daemon, browser):
    driver = browser()
    driver.get(daemon[0])
    wait_until(lambda: "cpu" in drawn_charts(driver))
    chart = element(driver, "[data-chart='cpu'] .u-over")
    driver.execute_script("arguments[0].scrollIntoView({block: 'center'})", chart)
    drag = ActionChains(driver).move_to_element_with_offset(chart, -60, 0).click_and_hold()
    drag.move_by_offset(120, 0).release().perform()
    wait_until(lambda: any("from=" in url for url in requested_histories(driver)))
    period = parse_qs(urlsplit(driver.current_url).query)
    span = int(period["to"][0]) - int(period["from"][0])
    assert 600 < span < 6 * 3600
    driver.get(driver.current_url)
    wait_until(lambda: any(f"from={period['from'][0]}" in url for url in requested_histories(driver)))
    element(driver, "[data-action='wider']").click()
    wider = parse_qs(urlsplit(driver.current_url).query)
    assert int(wider["to"][0]) - int(wider["from"][0]) > 1.5 * span
    element(driver, "[data-action='live']").click()
    assert "range=" in driver.current_url


def test_page_shows_and_saves_the_values_of_the_charts(daemon, browser, tmp_path):
    driver = browser()
    driver.execute_cdp_cmd("Browser.setDownloadBehavior", {"behavior": "allow", "downloadPath": str(tmp_path)})
    driver.get(daemon[0])
    wait_until(lambda: "cpu" in drawn_charts(driver))
    element(driver, "#history-values summary").click()
    assert len(wait_until(lambda: driver.find_elements("css selector", "#history-values tbody tr"))) > 100
    for button in ("[data-action='csv']", "[data-png='cpu']"):
        driver.execute_script("arguments[0].click()", element(driver, button))
    (saved,) = wait_until(lambda: list(tmp_path.glob("*.csv")))
    header, *rows = saved.read_text().splitlines()
    assert {"timestamp", "cpu_usage", "probability_15m", "anomaly_score"} <= set(header.split(","))
    assert len(rows) > 100
    (picture,) = wait_until(lambda: list(tmp_path.glob("*.png")))
    assert picture.read_bytes().startswith(b"\x89PNG")


def test_page_hides_a_horizon_and_keeps_it_in_the_address(daemon, browser):
    driver = browser()
    driver.get(f"{daemon[0]}/?range=1h&horizon=15m")
    wait_until(lambda: "probability" in drawn_charts(driver))
    rows = driver.find_elements("css selector", "[data-chart='probability'] .u-off")
    # The lines of base rate and threshold have no visible entry.
    hidden = [row.text for row in rows if row.text]
    assert len(hidden) == 2
    assert not any("15m" in text for text in hidden)


def test_page_loads_nothing_from_other_hosts(daemon, browser):
    driver = browser()
    driver.get(daemon[0])
    wait_until(lambda: "probability" in drawn_charts(driver))
    urls = driver.execute_script(REQUESTED_URLS)
    assert len(urls) >= 6
    assert all(url.startswith(daemon[0] + "/") for url in urls)


def event_url(url, *, replayed):
    """Return the URL of the page of the newest replayed event, or of the newest stored one.

    A busy machine may have further live events.
    """
    with urllib.request.urlopen(f"{url}/api/v1/anomalies", timeout=10) as response:
        events = json.load(response)
    chosen = (event for event in events if event["replayed"] is replayed and (replayed or event["peak"] == PEAK))
    return f"{url}/anomalies/{next(chosen)['id']}"


@pytest.mark.parametrize(
    ("name", "width", "dark"), [("light", 1440, False), ("dark", 1440, True), ("phone", 390, False)]
)
def test_event_page_shows_values_and_curves_without_scripts(daemon, browser, tmp_path, name, width, dark):
    driver = browser(width, dark=dark, scripts=False)
    driver.get(event_url(daemon[0], replayed=False))
    values = {
        row.text.split()[0]: row.text.split() for row in driver.find_elements("css selector", "#values tbody tr")
    }
    assert list(values) == ["disk_write", "disk_busy", "memory_usage"]
    # The fault writes 60 times as much as usual, whatever the hour.
    _, actual, unit, *_ = values["disk_write"]
    assert float(actual) > 2
    assert unit == "MB/s"
    for chart in driver.find_elements("css selector", "#curves .event-chart"):
        assert chart.size["height"] > 100
        assert chart.size["width"] > 0.8 * width - 200
        assert chart.find_element("css selector", "polyline.actual").size["height"] > 10
    assert len(driver.find_elements("css selector", "#curves figure")) == 3
    assert driver.execute_cdp_cmd("Page.getLayoutMetrics", {})["cssContentSize"]["width"] <= width
    assert console_messages(driver) == []
    assert driver.save_screenshot(str(Path(os.environ.get("MONITOR_SCREENSHOTS") or tmp_path) / f"event-{name}.png"))


def test_event_page_is_reached_by_keyboard_from_the_list(daemon, browser):
    driver = browser()
    driver.get(daemon[0])
    link = element(driver, "#anomalies tbody a")
    path = urllib.parse.urlsplit(link.get_attribute("href")).path
    link.send_keys(Keys.ENTER)
    wait_until(lambda: urllib.parse.urlsplit(driver.current_url).path == path)
    assert element(driver, "#event h2").text.startswith("Anomaly")
    driver.switch_to.active_element.send_keys(Keys.TAB)
    assert driver.switch_to.active_element.get_attribute("href").endswith("#content")
    outline = driver.switch_to.active_element.value_of_css_property("outline-style")
    assert outline == "solid"


def test_event_page_of_a_replayed_event_names_its_detector(daemon, browser):
    driver = browser()
    driver.get(event_url(daemon[0], replayed=True))
    assert "replayed" in element(driver, "#event h2").text
    assert "not stored" in element(driver, "#values p").text
    assert driver.find_elements("css selector", "#values tbody tr")


def test_unknown_event_has_a_page_that_leads_back(daemon, browser):
    driver = browser()
    driver.get(f"{daemon[0]}/anomalies/999999")
    assert "999999" in element(driver, "#error").text
    element(driver, "#error a").click()
    wait_until(lambda: "Host metrics" in element(driver, "main").text)


@pytest.mark.parametrize("scripts", [True, False])
def test_event_page_records_a_verdict_and_a_note(daemon, browser, scripts):
    driver = browser(390, scripts=scripts)
    url = event_url(daemon[0], replayed=True)
    driver.get(url)
    note = element(driver, "#verdict textarea")
    note.clear()
    note.send_keys(f"caused by <the> backup {scripts}")
    element(driver, "#verdict input[value='expected']").click()
    element(driver, "#verdict button").click()
    wait_until(lambda: f"caused by <the> backup {scripts}" in element(driver, "#event").text)
    assert driver.current_url.startswith(url)
    assert "expected at" in element(driver, "#event").text
    assert element(driver, "#verdict input[value='expected']").is_selected()
    assert console_messages(driver) == []


def test_maintenance_window_is_added_and_ended_by_keyboard(daemon, browser):
    driver = browser(scripts=False)
    driver.get(f"{daemon[0]}/maintenance")
    element(driver, "input[name='duration']").send_keys("2h", Keys.TAB)
    driver.switch_to.active_element.send_keys("kernel upgrade", Keys.TAB)
    button = driver.switch_to.active_element
    assert (button.tag_name, button.text) == ("button", "Add")
    assert button.value_of_css_property("outline-style") == "solid"
    button.send_keys(Keys.ENTER)
    row = wait_until(lambda: driver.find_elements("css selector", "#maintenance tbody tr"))[0]
    assert "active" in row.text
    assert "kernel upgrade" in row.text
    element(driver, "#maintenance tbody button").send_keys(Keys.ENTER)
    wait_until(lambda: "ended" in element(driver, "#maintenance tbody tr").text)
    assert console_messages(driver) == []


def test_form_of_another_origin_is_refused(daemon, browser, tmp_path):
    page = tmp_path / "attack.html"
    page.write_text(
        f'<form method="post" action="{daemon[0]}/api/v1/maintenance"><input name="duration" value="9h">'
        "<button>x</button></form>"
    )
    driver = browser()
    driver.get(page.as_uri())
    element(driver, "button").click()
    wait_until(lambda: "Not available" in driver.page_source)
    with urllib.request.urlopen(f"{daemon[0]}/api/v1/maintenance", timeout=10) as response:
        assert json.load(response) == []


def test_what_if_is_computed_without_scripts(daemon, browser):
    driver = browser(390, scripts=False)
    driver.get(f"{daemon[0]}/config")
    assert not driver.find_elements("css selector", "#what-if-result tbody tr")
    field = element(driver, "#precision")
    field.clear()
    field.send_keys("0.5", Keys.ENTER)
    rows = wait_until(lambda: driver.find_elements("css selector", "#what-if-result tbody tr"))
    assert len(rows) == 8
    assert "precision = 0.5" in element(driver, "#what-if-result pre").text
    assert parse_qs(urlsplit(driver.current_url).query)["precision"] == ["0.5"]
    assert element(driver, "#precision").get_attribute("value") == "0.5"


def test_what_if_slider_computes_by_keyboard_and_keeps_the_result_in_the_address(daemon, browser):
    driver = browser()
    driver.get(f"{daemon[0]}/config")
    slider = element(driver, "[data-for='bound_1_cpu_usage']")
    assert slider.get_attribute("value") == element(driver, "#bound_1_cpu_usage").get_attribute("value") == "0.8"
    slider.send_keys(Keys.ARROW_LEFT)
    wait_until(lambda: "cpu_usage = 0.79" in current_text(driver, "#what-if-result"))
    assert element(driver, "#bound_1_cpu_usage").get_attribute("value") == "0.79"
    assert "trained for the present bounds" in current_text(driver, "#what-if-result")
    wait_until(lambda: "bound_1_cpu_usage=0.79" in driver.current_url)
    assert console_messages(driver) == []


def test_page_reports_a_daemon_that_does_not_respond(daemon, browser):
    """Run last, because it stops the daemon."""
    driver = browser()
    driver.get(daemon[0])
    wait_until(lambda: "probability" in drawn_charts(driver))
    alert = driver.find_element("id", "connection-lost")
    assert not alert.is_displayed()
    daemon[1].terminate()
    daemon[1].wait(10)
    wait_until(alert.is_displayed, 30)
    assert alert.text
    assert "stale" in element(driver, "body").get_attribute("class")

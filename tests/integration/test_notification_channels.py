"""Channels of the notifications, sent by real sender processes to real receivers."""

import json
import os
import shutil
import socket
import subprocess
import threading
import time
import tomllib
import urllib.request
from dataclasses import replace

import pytest
import trustme

from monitor.config.loader import read_config
from monitor.notifications.delivery import SenderProcesses
from monitor.notifications.events import Change, Event, EventKind, MetricContribution, ResourceUse, Severity
from monitor.notifications.sender import SendRequest
from monitor.notifications.sending import SendOutcome
from monitor.system.json_codec import to_plain

from .receivers import HttpReceiver, SmtpReceiver, server_context

pytestmark = pytest.mark.integration

AT = 1_800_000_000.0

RAISED = Event(
    key="web1/high_load/1800000000.000/raised",
    incident="web1/high_load/1800000000.000",
    kind=EventKind.HIGH_LOAD,
    change=Change.RAISED,
    severity=Severity.CRITICAL,
    host="web1",
    at=AT,
    started_at=AT,
    url="http://127.0.0.1:10190/",
    title="High load expected on web1 within 5m",
    horizon=300.0,
    probability=0.72,
    base_rate=0.04,
    contributions=(MetricContribution("cpu_usage", 0.81, 1.2, "CPU at 81% & <rising>"),),
)
CLEARED = replace(
    RAISED,
    key="web1/high_load/1800000000.000/cleared",
    change=Change.CLEARED,
    at=AT + 600,
    title="Warning of high load cleared on web1 after 10 min",
)


FILLING = replace(
    RAISED,
    key="web1/capacity/c-1/1800000000.000/raised",
    incident="web1/capacity/c-1/1800000000.000",
    kind=EventKind.CAPACITY,
    severity=Severity.WARNING,
    title="File system /data on web1 is expected to pass 95% within 1d",
    horizon=86_400.0,
    contributions=(),
    capacity=ResourceUse("filesystem", "/data", 0.9, 0.95, expected_at=AT + 36_000),
)
FILLED = replace(
    FILLING,
    key="web1/capacity/c-1/1800000000.000/escalated",
    change=Change.ESCALATED,
    severity=Severity.CRITICAL,
    severities=(Severity.WARNING, Severity.CRITICAL),
    title="File system /data on web1 is above 95%",
    at=AT + 600,
    probability=1.0,
    capacity=ResourceUse("filesystem", "/data", 0.96, 0.95, exhausted=True),
)
EXHAUSTION = replace(FILLING, horizon=3600.0, capacity=ResourceUse("memory", None, 0.9, 0.95))


@pytest.fixture(scope="module")
def authority():
    return trustme.CA()


@pytest.fixture
def receiver():
    with HttpReceiver() as running:
        yield running


@pytest.fixture
def send(tmp_path):
    """Return a function that sends an event through a channel, given as TOML keys, and returns the result."""

    def send(keys, event=RAISED, grace=30.0):
        config, problems = read_config(tomllib.loads(f"[notify.channels.x]\n{keys}"))
        assert problems == []
        ((_, channel),) = config.notify.channels
        return SenderProcesses(grace).send(SendRequest(channel, (str(tmp_path),), event))

    return send


@pytest.mark.parametrize(
    ("preset", "event", "path", "expected"),
    [
        ("generic", RAISED, "/in", {**to_plain(RAISED), "text": RAISED.text}),
        (
            "slack",
            RAISED,
            "/in",
            {
                "text": "*High load expected on web1 within 5m*\nProbability: 72% within 5m, usually 4%\n"
                "Metrics: CPU at 81% &amp; &lt;rising&gt;\nTime: 2027-01-15 08:00:00 UTC\n"
                "<http://127.0.0.1:10190/|Open monitor>"
            },
        ),
        (
            "mattermost",
            CLEARED,
            "/in",
            {
                "text": "**Warning of high load cleared on web1 after 10 min**\n"
                "- Probability: 72% within 5m, usually 4%\n- Metrics: CPU at 81% & <rising>\n"
                "- Time: 2027-01-15 08:10:00 UTC\n[Open monitor](http://127.0.0.1:10190/)"
            },
        ),
        (
            "ntfy",
            RAISED,
            "/",
            {
                "topic": "in",
                "title": "High load expected on web1 within 5m",
                "message": "Probability: 72% within 5m, usually 4%\nMetrics: CPU at 81% & <rising>\n"
                "Time: 2027-01-15 08:00:00 UTC",
                "priority": 5,
                "tags": ["warning"],
                "click": "http://127.0.0.1:10190/",
            },
        ),
        ("generic", FILLING, "/in", {**to_plain(FILLING), "text": FILLING.text}),
        (
            "slack",
            FILLED,
            "/in",
            {
                "text": "*File system /data on web1 is above 95%*\nUsed: 96%, limit 95%\n"
                "Time: 2027-01-15 08:10:00 UTC\n<http://127.0.0.1:10190/|Open monitor>"
            },
        ),
        (
            "mattermost",
            FILLING,
            "/in",
            {
                "text": "**File system /data on web1 is expected to pass 95% within 1d**\n"
                "- Probability: 72% within 1d, usually 4%\n- Used: 90%, limit 95%\n"
                "- Limit expected to be passed: 2027-01-15 18:00:00 UTC\n"
                "- Time: 2027-01-15 08:00:00 UTC\n[Open monitor](http://127.0.0.1:10190/)"
            },
        ),
    ],
)
def test_webhook_posts_the_message_of_its_preset(receiver, send, preset, event, path, expected):
    assert send(f'preset = "{preset}"\nurl = "{receiver.url}/in"', event).outcome is SendOutcome.DELIVERED
    ((requested, headers, body),) = receiver.requests
    assert (requested, body) == (path, expected)
    assert headers["Idempotency-Key"] == event.key
    assert headers["Content-Type"] == "application/json"


def test_teams_gets_an_adaptive_card(receiver, send):
    assert send(f'preset = "teams"\nurl = "{receiver.url}/in"').outcome is SendOutcome.DELIVERED
    ((_, _, body),) = receiver.requests
    (attachment,) = body["attachments"]
    assert (body["type"], attachment["contentType"]) == ("message", "application/vnd.microsoft.card.adaptive")
    card = attachment["content"]
    assert [block["text"] for block in card["body"]] == [RAISED.title, *RAISED.lines]
    assert card["actions"][0]["url"] == RAISED.url


@pytest.mark.parametrize(("event", "action"), [(RAISED, "trigger"), (CLEARED, "resolve")])
def test_pagerduty_triggers_and_resolves_one_incident(receiver, send, tmp_path, event, action):
    (tmp_path / "routing-key").write_text("R0UTING\n")
    keys = f'preset = "pagerduty"\nurl = "{receiver.url}/v2/enqueue"\nrouting_key_file = "routing-key"'
    assert send(keys, event).outcome is SendOutcome.DELIVERED
    ((_, _, body),) = receiver.requests
    assert (body["routing_key"], body["event_action"], body["dedup_key"]) == ("R0UTING", action, RAISED.incident)
    assert (body["payload"]["source"], body["payload"]["severity"]) == ("web1", "critical")
    assert len(body["payload"]["timestamp"]) == len("2027-01-15T08:00:00.000+00:00")


@pytest.mark.parametrize(
    ("answer", "outcome", "retry_after"),
    [
        (204, "delivered", None),
        ((429, {"Retry-After": "7"}), "failed", 7.0),
        ((503, {"Retry-After": "Fri, 15 Jan 2016 08:00:00 GMT"}), "failed", 0.0),
        (500, "failed", None),
        (404, "failed", None),
        (400, "rejected", None),
        ((302, {"Location": "/elsewhere"}), "failed", None),
        ("close", "failed", None),
    ],
)
def test_webhook_result_follows_the_answer(receiver, send, answer, outcome, retry_after):
    receiver.answers = [answer]
    result = send(f'url = "{receiver.url}/SECRET"')
    assert (result.outcome, result.retry_after) == (outcome, retry_after)
    assert "SECRET" not in result.problem
    assert len(receiver.requests) == 1


@pytest.mark.parametrize(("answer", "grace"), [("hang", 30.0), ("drip", 1.0)])
def test_receiver_that_hangs_is_given_up(receiver, send, answer, grace):
    receiver.answers = [answer]
    assert send(f'url = "{receiver.url}/SECRET"\ntimeout = "1s"', grace=grace).outcome is SendOutcome.FAILED


def test_stop_ends_a_sender_that_hangs(receiver):
    receiver.answers = ["hang"]
    config, _ = read_config(tomllib.loads(f'[notify.channels.x]\nurl = "{receiver.url}"\ntimeout = "50s"'))
    ((_, channel),) = config.notify.channels
    senders = SenderProcesses()
    results = []

    def stop():
        receiver.wait_for(1)
        senders.stop()

    stopper = threading.Thread(target=stop)
    stopper.start()
    results.append(senders.send(SendRequest(channel, (), RAISED)))
    stopper.join()
    results.append(senders.send(SendRequest(channel, (), RAISED)))
    assert [result.outcome for result in results] == [SendOutcome.FAILED] * 2
    assert len(receiver.requests) == 1


def test_secrets_come_from_files_and_variables(receiver, send, tmp_path, monkeypatch):
    (tmp_path / "url").write_text(f"{receiver.url}/from-file\n")
    monkeypatch.setenv("NOTIFY_TOKEN", "Bearer T0KEN")
    assert send('url_file = "url"\nauthorization_env = "NOTIFY_TOKEN"').outcome is SendOutcome.DELIVERED
    ((path, headers, _),) = receiver.requests
    assert (path, headers["Authorization"]) == ("/from-file", "Bearer T0KEN")


@pytest.mark.parametrize(
    ("keys", "content"),
    [
        ('url_file = "missing"', None),
        ('url_file = "secret"', ""),
        ('url_file = "secret"', "http://127.0.0.1:1/SECRET\nSECRET"),
        ('url_file = "secret"', "SECRET"),
        ('url_file = "secret"', "ftp://127.0.0.1/SECRET"),
        ('url_file = "secret"', "file:///etc/SECRET"),
        ('url_file = "secret"', "http://127.0.0.1:SECRET/"),
        ('url_file = "secret"', "http://127.0.0.1:1/SECRET path"),
        ('url_env = "NOTIFY_MISSING"', None),
        ('kind = "apprise"\nurl_file = "secret"', "SECRET"),
    ],
)
def test_invalid_secret_is_a_failure_that_does_not_show_it(send, tmp_path, keys, content):
    if content is not None:
        (tmp_path / "secret").write_text(content)
    result = send(keys)
    assert result.outcome is SendOutcome.FAILED
    assert result.problem
    assert "SECRET" not in result.problem


def test_webhook_verifies_the_certificate(send, authority, tmp_path):
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    with SmtpReceiver(server_context(authority.issue_cert("127.0.0.1")), implicit_tls=True) as server:
        url = f'url = "https://127.0.0.1:{server.port}/"\ntimeout = "2s"'
        refused = send(url)
        accepted = send(f'{url}\nca_file = "ca.pem"')
    assert "certificate" in refused.problem
    # The SMTP server does not speak HTTP, but its certificate was accepted.
    assert accepted.outcome is SendOutcome.FAILED
    assert "certificate" not in accepted.problem


@pytest.mark.parametrize("security", ["starttls", "tls", "none"])
def test_mail_is_sent_with_the_configured_encryption(send, authority, tmp_path, security):
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    (tmp_path / "password").write_text("pa55\n")
    context = None if security == "none" else server_context(authority.issue_cert("127.0.0.1"))
    with SmtpReceiver(context, implicit_tls=security == "tls", login=("monitor", "pa55")) as server:
        result = send(f"""
            kind = "email"
            host = "127.0.0.1"
            port = {server.port}
            security = "{security}"
            user = "monitor"
            password_file = "password"
            sender = "monitor@example.org"
            recipients = ["a@example.org", "b@example.org"]
            ca_file = "ca.pem"
        """)
    assert (result.outcome, result.problem) == (SendOutcome.DELIVERED, "")
    assert server.logins == [("monitor", "pa55", security != "none")]
    assert server.envelopes == [["a@example.org", "b@example.org"]]
    (mail,) = server.mails
    assert (mail["Subject"], mail["From"]) == (RAISED.title, "monitor@example.org")
    assert mail["Message-ID"].endswith("@example.org>")
    assert mail.get_content().splitlines() == RAISED.text.splitlines()


@pytest.mark.parametrize(
    ("security", "refused", "user"),
    [("starttls", (), ""), ("none", ("a@example.org",), ""), ("none", (), 'user = "x"\npassword_env = "PATH"')],
)
def test_mail_that_is_not_accepted_is_a_failure(send, security, refused, user):
    with SmtpReceiver(login=("monitor", "pa55")) as server:
        server.refused = refused
        keys = f'host = "127.0.0.1"\nport = {server.port}\nsecurity = "{security}"\n{user}'
        result = send(f'kind = "email"\nsender = "m@example.org"\nrecipients = ["a@example.org"]\n{keys}')
    assert result.outcome is SendOutcome.FAILED
    assert server.mails == []


def test_command_gets_the_event_without_a_shell(send, tmp_path):
    script = tmp_path / "receive"
    script.write_text('#!/bin/sh\nprintf "%s" "$1" > "$0.argument"\ncat > "$0.json"\n')
    script.chmod(0o755)
    argument = "$(id); * 'quoted'"
    assert send(f'kind = "command"\nargv = {json.dumps([str(script), argument])}').outcome is SendOutcome.DELIVERED
    assert (tmp_path / "receive.argument").read_text() == argument
    assert json.loads((tmp_path / "receive.json").read_text()) == to_plain(RAISED)


@pytest.mark.parametrize("argv", [["false"], ["/nonexistent"], ["sleep", "50"]])
def test_command_that_fails_or_hangs_is_a_failure(send, argv):
    assert send(f'kind = "command"\ntimeout = "1s"\nargv = {json.dumps(argv)}').outcome is SendOutcome.FAILED


def need_alertmanager():
    """Return the path of Alertmanager; without it, skip, or fail in CI."""
    path = shutil.which("prometheus-alertmanager")
    if path is None:
        message = "NOT TESTED: prometheus-alertmanager not installed (apt-get install prometheus-alertmanager)"
        if os.environ.get("CI"):
            pytest.fail(message)
        pytest.skip(message)
    return path


@pytest.fixture
def alertmanager(tmp_path):
    """Start Alertmanager with a receiver; return the URL of the first, and the second."""
    program = need_alertmanager()
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    with HttpReceiver() as person, (tmp_path / "log").open("wb") as log:
        (tmp_path / "alertmanager.yml").write_text(
            "route: {receiver: person, group_by: [alertname], group_wait: 0s, group_interval: 1s}\n"
            f"receivers: [{{name: person, webhook_configs: [{{url: '{person.url}/'}}]}}]\n"
        )
        options = ("--cluster.listen-address=", f"--web.listen-address=127.0.0.1:{port}", "--storage.path=am")
        process = subprocess.Popen(
            [program, "--config.file=alertmanager.yml", *options], stdout=log, stderr=log, cwd=tmp_path
        )
        try:
            yield f"http://127.0.0.1:{port}", person
        finally:
            process.terminate()
            process.wait(20)


def test_alertmanager_fires_escalates_and_resolves(alertmanager, send):
    url, person = alertmanager
    now = time.time()
    warned = replace(RAISED, severity=Severity.WARNING, at=now, started_at=now)
    keys = f'preset = "alertmanager"\nurl = "{url}"'
    end = time.monotonic() + 30
    while send(keys, warned).outcome is not SendOutcome.DELIVERED:
        assert time.monotonic() < end
    both = (Severity.WARNING, Severity.CRITICAL)
    escalated = replace(warned, severity=Severity.CRITICAL, severities=both, change=Change.ESCALATED, at=time.time())

    def active():
        with urllib.request.urlopen(f"{url}/api/v2/alerts?active=true", timeout=5) as answer:
            return [(alert["labels"], alert["annotations"]["summary"]) for alert in json.load(answer)]

    labels = {"alertname": "MonitorHighLoadComing", "instance": "web1", "job": "monitor"}
    assert active() == [({**labels, "severity": "warning"}, RAISED.title)]
    person.wait_for(1)
    assert send(keys, escalated).outcome is SendOutcome.DELIVERED
    assert active() == [({**labels, "severity": "critical"}, RAISED.title)]
    cleared = replace(escalated, change=Change.CLEARED, at=time.time())
    assert send(keys, cleared).outcome is SendOutcome.DELIVERED
    assert active() == []
    while (seen := person.requests[-1][2]["status"]) != "resolved":
        person.wait_for(len(person.requests) + 1)
    assert seen == "resolved"
    assert {alert["labels"]["severity"] for _, _, body in person.requests for alert in body["alerts"]} == {
        "warning",
        "critical",
    }


@pytest.mark.parametrize(
    ("event", "labels"),
    [
        (FILLING, [("MonitorFilesystemFilling", "warning", "/data")]),
        (
            FILLED,
            [("MonitorFilesystemFilling", "warning", "/data"), ("MonitorFilesystemFilling", "critical", "/data")],
        ),
        (EXHAUSTION, [("MonitorMemoryExhaustion", "warning", None)]),
    ],
)
def test_alertmanager_gets_capacity_alerts_with_the_names_and_labels_of_the_rules(receiver, send, event, labels):
    assert send(f'preset = "alertmanager"\nurl = "{receiver.url}"', event).outcome is SendOutcome.DELIVERED
    ((path, _, body),) = receiver.requests
    assert path == "/api/v2/alerts"
    sent = [alert["labels"] for alert in body]
    assert [(alert["alertname"], alert["severity"], alert.get("mountpoint")) for alert in sent] == labels


def test_pagerduty_gets_a_capacity_incident_with_its_use(receiver, send, tmp_path):
    (tmp_path / "routing-key").write_text("R0UTING\n")
    keys = f'preset = "pagerduty"\nurl = "{receiver.url}/v2/enqueue"\nrouting_key_file = "routing-key"'
    assert send(keys, FILLED).outcome is SendOutcome.DELIVERED
    ((_, _, body),) = receiver.requests
    assert (body["event_action"], body["dedup_key"]) == ("trigger", FILLED.incident)
    assert (body["payload"]["class"], body["payload"]["severity"]) == ("capacity", "critical")
    assert body["payload"]["custom_details"]["capacity"] == to_plain(FILLED.capacity)

"""Tests of monitor.web.actions.access."""

from dataclasses import replace

import pytest

from monitor.config.loader import Config
from monitor.config.notify.section import NotifySection
from monitor.config.web_section import WebSection
from monitor.web.actions.access import ACTION_LIMIT, ActionAccess
from monitor.web.api import ApiError

pytestmark = pytest.mark.unit

LOCAL = Config(web=WebSection(actions=True))
REMOTE = Config(web=WebSection(actions=True, listen="192.0.2.1:10190"))
BEHIND_PROXY = replace(LOCAL, notify=NotifySection(external_url="https://web1.example.org/monitor/"))


def access_of(config, now=lambda: 0.0):
    return ActionAccess(lambda: config, now)


def request(**variables):
    return {"wsgi.url_scheme": "http", "HTTP_HOST": "localhost:10190", **variables}


def refusal(access, environ, token):
    with pytest.raises(ApiError) as caught:
        access.check(environ, token)
    return caught.value.code


def test_actions_are_off_by_default():
    state = access_of(Config()).state(request())
    assert not state.permitted
    assert state.token == ""
    assert "web.actions" in state.reason


def test_local_client_without_users_has_a_token():
    assert access_of(LOCAL).state(request()).permitted


def test_other_hosts_need_a_user():
    access = access_of(REMOTE)
    assert "basic_auth_users" in access.state(request()).reason
    assert access.state(request(REMOTE_USER="alice")).permitted


def test_token_belongs_to_a_user_and_a_process():
    access = access_of(LOCAL)
    alice = access.state(request(REMOTE_USER="alice")).token
    assert alice == access.state(request(REMOTE_USER="alice")).token
    assert alice != access.state(request(REMOTE_USER="bob")).token
    assert alice != access_of(LOCAL).state(request(REMOTE_USER="alice")).token
    assert refusal(access, request(REMOTE_USER="bob"), alice) == 403


def test_token_is_taken_from_the_body_of_a_form_or_from_the_header():
    access = access_of(LOCAL)
    token = access.state(request()).token
    access.check(request(), token)
    access.check(request(HTTP_X_MONITOR_TOKEN=token), None)
    assert refusal(access, request(HTTP_X_MONITOR_TOKEN=token), "") == 403


@pytest.mark.parametrize("token", ["", "x", "ü", "0" * 64])
def test_wrong_tokens_are_refused(token):
    assert refusal(access_of(LOCAL), request(), token) == 403


def test_actions_that_are_off_are_refused_with_any_token():
    token = access_of(LOCAL).state(request()).token
    assert refusal(access_of(Config()), request(), token) == 403


@pytest.mark.parametrize(
    "headers",
    [
        {"HTTP_SEC_FETCH_SITE": "cross-site"},
        {"HTTP_SEC_FETCH_SITE": "same-site"},
        {"HTTP_ORIGIN": "null"},
        {"HTTP_ORIGIN": "https://web1.example.org"},
        {"HTTP_ORIGIN": "http://localhost:10191"},
    ],
)
def test_pages_of_other_sites_are_refused(headers):
    access = access_of(LOCAL)
    assert refusal(access, request(**headers), access.state(request()).token) == 403


def test_own_pages_are_admitted():
    access = access_of(LOCAL)
    headers = {"HTTP_ORIGIN": "http://localhost:10190", "HTTP_SEC_FETCH_SITE": "same-origin"}
    access.check(request(**headers), access.state(request()).token)


def test_pages_under_the_external_url_are_admitted():
    access = access_of(BEHIND_PROXY)
    token = access.state(request()).token
    access.check(request(HTTP_ORIGIN="https://web1.example.org", HTTP_SEC_FETCH_SITE="same-origin"), token)
    cross_site = request(HTTP_ORIGIN="https://web1.example.org", HTTP_SEC_FETCH_SITE="cross-site")
    assert refusal(access, cross_site, token) == 403
    assert refusal(access, request(HTTP_ORIGIN="https://other.example.org"), token) == 403


def test_rate_of_admitted_actions_is_limited_and_refused_ones_do_not_count():
    now = [0.0]
    access = access_of(LOCAL, lambda: now[0])
    token = access.state(request()).token
    for _ in range(50):
        assert refusal(access, request(), "wrong") == 403
    for _ in range(ACTION_LIMIT.burst):
        access.check(request(), token)
    assert refusal(access, request(), token) == 429
    now[0] = ACTION_LIMIT.interval
    access.check(request(), token)

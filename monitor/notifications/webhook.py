"""Webhook: posts an event as JSON."""

from __future__ import annotations

import http.client
import json
import ssl
import time
import urllib.error
import urllib.request
from urllib.parse import quote

from monitor.config.notify.channels import WebhookChannel
from monitor.notifications.events import Event
from monitor.notifications.presets import WebhookTarget, request_of
from monitor.notifications.sending import Secrets, SendError, describe
from monitor.system.json_codec import to_plain
from monitor.system.outgoing_http import NoRedirects, parse_retry_after

REJECTED = frozenset({400, 413, 422})
"""Status codes with which a receiver rejects the message itself. Any other failure may pass or be corrected."""


def send_webhook(channel: WebhookChannel, event: Event, secrets: Secrets) -> None:
    """Post an event to the URL of a channel; any status from 200 to 299 is a delivery.

    Raises:
        SendError: the event was not delivered.
    """
    target = WebhookTarget(secrets.get("url"), secrets.get("routing_key"), time.time())
    url, data = request_of(channel.preset, event, target)
    headers = {
        "Content-Type": "application/json",
        "User-Agent": "monitor",
        "Idempotency-Key": quote(event.key, safe="/:"),
    }
    if authorization := secrets.get("authorization"):
        headers["Authorization"] = authorization
    try:
        request = urllib.request.Request(url, json.dumps(to_plain(data)).encode(), headers)  # noqa: S310 - checked
        if request.type not in ("http", "https"):
            raise SendError("not an http or https URL")
        handler = urllib.request.HTTPSHandler(context=tls_context(channel.ca_file, secrets))
        with urllib.request.build_opener(NoRedirects, handler).open(request, timeout=channel.timeout):
            pass
    except urllib.error.HTTPError as error:
        error.close()
        retry_after = parse_retry_after(error.headers.get("Retry-After"), time.time())
        rejected = error.code in REJECTED
        raise SendError(f"HTTP status {error.code}", rejected=rejected, retry_after=retry_after) from None
    except urllib.error.URLError as error:
        cause = error.reason if isinstance(error.reason, BaseException) else error
        raise SendError(describe(cause)) from None
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise SendError(describe(error)) from None


def tls_context(ca_file: str, secrets: Secrets) -> ssl.SSLContext:
    """Return a TLS context that trusts the certificates in a file, or without one those of the system.

    Raises:
        SendError: the file cannot be read, or has no certificate.
    """
    if not ca_file:
        return ssl.create_default_context()
    path = secrets.path(ca_file)
    try:
        return ssl.create_default_context(cafile=path)
    except OSError as error:
        raise SendError(f"{path}: {describe(error)}") from None

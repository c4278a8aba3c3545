"""Sender process: sends one event through one channel, and exits.

The daemon starts it for each attempt. The libraries of the channels, and the secrets, are never in the daemon, and an
attempt that hangs is killed.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from monitor.config.notify.channels import CHANNEL_KINDS, AppriseChannel, Channel, CommandChannel
from monitor.notifications.events import Event
from monitor.notifications.sending import Secrets, SendError, SendOutcome, SendResult, describe
from monitor.system.json_codec import from_plain, to_json


@dataclass(frozen=True)
class SendRequest:
    """Request to the sender process.

    Attributes:
        channel: keys of the channel.
        directories: directories of the secret files.
        event: event.
    """

    channel: Channel
    directories: tuple[str, ...]
    event: Event


def main() -> int:
    """Read a request from stdin, and write its result to stdout, both as JSON."""
    # The daemon blocks signals, which a child inherits.
    signal.pthread_sigmask(signal.SIG_SETMASK, [])
    result = send(read_request(json.load(sys.stdin)))
    sys.stdout.write(to_json(result))
    return 0


def read_request(data: dict[str, Any]) -> SendRequest:
    """Return the request in JSON data."""
    kind = CHANNEL_KINDS[data["channel"]["kind"]]
    return SendRequest(
        from_plain(kind, data["channel"]), tuple(data["directories"]), from_plain(Event, data["event"])
    )


def send(request: SendRequest) -> SendResult:
    """Send an event once, and return the result."""
    try:
        _SENDERS[request.channel.kind](request.channel, request.event, Secrets(request.channel, request.directories))
    except SendError as error:
        return error.result
    return SendResult(SendOutcome.DELIVERED)


def _send_webhook(channel: Any, event: Event, secrets: Secrets) -> None:
    from monitor.notifications.webhook import send_webhook  # noqa: PLC0415 - only the library that the channel needs

    send_webhook(channel, event, secrets)


def _send_mail(channel: Any, event: Event, secrets: Secrets) -> None:
    from monitor.notifications.mail import send_mail  # noqa: PLC0415

    send_mail(channel, event, secrets)


def _send_command(channel: CommandChannel, event: Event, _secrets: Secrets) -> None:
    """Run a program with the event as JSON on its standard input; its output is discarded."""
    try:
        process = subprocess.run(  # noqa: S603 - the operator's program, without a shell
            channel.argv,
            input=to_json(event).encode(),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=channel.timeout,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise SendError(f"no exit within {channel.timeout:g} s") from None
    except (OSError, ValueError) as error:
        raise SendError(f"cannot start: {describe(error)}") from None
    if process.returncode:
        raise SendError(f"exit code {process.returncode}")


def _send_apprise(_channel: AppriseChannel, event: Event, secrets: Secrets) -> None:
    url = secrets.get("url")
    try:
        import apprise  # noqa: PLC0415 - an optional dependency
    except ImportError:
        raise SendError("apprise is not installed: pip install 'monitor-early-warning[notify]'") from None
    service = apprise.Apprise()
    if not service.add(url):
        raise SendError("apprise does not know this URL")
    if not service.notify(title=event.title, body="\n".join((*event.lines, event.url))):
        raise SendError("apprise did not deliver it")


_SENDERS: dict[str, Callable[[Any, Event, Secrets], None]] = {
    "webhook": _send_webhook,
    "command": _send_command,
    "email": _send_mail,
    "apprise": _send_apprise,
}

if __name__ == "__main__":
    exit_code = main()
    sys.stdout.flush()
    # A library may have left threads that do not end.
    os._exit(exit_code)

"""Channels of the notifications: keys of [notify.channels.NAME] for each kind of channel."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import ip_address

from monitor.config.list_options import strings
from monitor.config.notify.secret_options import file_name, secret_url, variable_name
from monitor.config.options import choice, duration, integer, string

PRESETS = ("generic", "slack", "mattermost", "teams", "ntfy", "pagerduty", "alertmanager")
"""Services whose messages a webhook can send; `generic` sends the event itself."""

SECRET_URL_PRESETS = frozenset({"slack", "mattermost", "teams"})
"""Services to which everyone who knows the URL can post."""

PAGERDUTY_URL = "https://events.pagerduty.com/v2/enqueue"

EVENT_KINDS = ("high_load", "anomaly", "capacity")
"""Kinds of events that a channel can be limited to."""

MAX_TIMEOUT = 60.0
"""Longest `timeout` of a channel in seconds: a delivery must end before the job counts as hung."""

_HTTP_URL = re.compile(r"https?://(\[[0-9a-fA-F:.]+\]|[\w.-]+)(:\d{1,5})?(/[!-~]*)?", re.ASCII)

_FILE = "File with the {}."
_ENV = "Environment variable with the {}."
_CA = "File with the certificates (PEM) that sign the receiver's; by default those of the system."


@dataclass(frozen=True)
class Channel:
    """Keys of every kind of channel."""

    kind: str = choice("webhook", ("webhook", "command", "email", "apprise"), "Kind of the channel.")
    events: tuple[str, ...] = strings(EVENT_KINDS, "Events that the channel gets.", allowed=EVENT_KINDS)
    rate_limit: int = integer(
        20,
        "Number of notifications per hour above which further ones are suppressed, and counted in a summary.",
        minimum=1,
    )
    timeout: float = duration(10.0, "Time after which an attempt counts as failed, at most 60s.", minimum=1.0)

    def problems(self) -> list[str]:
        """Return one line for each invalid combination of keys, which starts with a key."""
        return [] if self.timeout <= MAX_TIMEOUT else [f"timeout: must be at most {MAX_TIMEOUT:g}s"]

    @property
    def is_local(self) -> bool:
        """True if the receiver is known to be this host."""
        return False

    @property
    def has_plain_secret(self) -> bool:
        """True if the configuration contains a secret of the channel."""
        return False


@dataclass(frozen=True)
class WebhookChannel(Channel):
    """Channel that posts JSON to a URL."""

    preset: str = choice("generic", PRESETS, "Service that the URL belongs to.")
    url: str = secret_url("URL of the receiver. The output of commands shows only its host.")
    url_file: str = file_name(_FILE.format("URL"))
    url_env: str = variable_name(_ENV.format("URL"))
    authorization_file: str = file_name(_FILE.format('value of the header Authorization, such as "Bearer TOKEN"'))
    authorization_env: str = variable_name(_ENV.format("value of the header Authorization"))
    routing_key_file: str = file_name(_FILE.format("integration key of PagerDuty"))
    routing_key_env: str = variable_name(_ENV.format("integration key of PagerDuty"))
    ca_file: str = string("", _CA, default_text="none")

    def problems(self) -> list[str]:
        problems = super().problems()
        is_pagerduty = self.preset == "pagerduty"
        problems += _one_of(self, "url", ("url", "url_file", "url_env"), optional=is_pagerduty)
        problems += _one_of(self, "authorization", ("authorization_file", "authorization_env"), optional=True)
        problems += _one_of(self, "routing_key", ("routing_key_file", "routing_key_env"), optional=not is_pagerduty)
        if self.url and not _HTTP_URL.fullmatch(self.url):
            problems.append("url: must be an http or https URL without credentials")
        return problems

    @property
    def is_local(self) -> bool:
        match = _HTTP_URL.fullmatch(self.url)
        host = match[1].strip("[]") if match else ""
        try:
            return ip_address(host).is_loopback
        except ValueError:
            return host == "localhost"

    @property
    def has_plain_secret(self) -> bool:
        return bool(self.url) and self.preset in SECRET_URL_PRESETS


@dataclass(frozen=True)
class CommandChannel(Channel):
    """Channel that starts a program, with the event as JSON on its standard input."""

    argv: tuple[str, ...] = strings(
        (),
        "Program and arguments, without a shell. Exit code 0 is a delivery.",
        example=("/usr/local/bin/notify",),
    )

    def problems(self) -> list[str]:
        return super().problems() + ([] if self.argv else ["argv: a command needs a program"])


@dataclass(frozen=True)
class EmailChannel(Channel):
    """Channel that sends mail through an SMTP server."""

    host: str = string("", "Name or address of the SMTP server.", example="smtp.example.org", default_text="none")
    port: int = integer(587, "Port of the SMTP server.", minimum=1)
    security: str = choice(
        "starttls", ("starttls", "tls", "none"), "Encryption: STARTTLS, TLS from the start (port 465), or none."
    )
    user: str = string("", "User to log in as; no login without it.", default_text="none")
    password_file: str = file_name(_FILE.format("password"))
    password_env: str = variable_name(_ENV.format("password"))
    sender: str = string("", "Address of the sender.", example="monitor@example.org", default_text="none")
    recipients: tuple[str, ...] = strings((), "Addresses of the recipients.", example=("ops@example.org",))
    ca_file: str = string("", _CA, default_text="none")

    def problems(self) -> list[str]:
        problems = super().problems()
        problems += [
            f"{key}: an e-mail needs it" for key in ("host", "sender", "recipients") if not getattr(self, key)
        ]
        addresses = [("sender", self.sender)] * bool(self.sender) + [("recipients", to) for to in self.recipients]
        problems += [f"{key}: not an address" for key, address in addresses if not _is_address(address)]
        problems += _one_of(self, "password", ("password_file", "password_env"), optional=not self.user)
        if not self.user and (self.password_file or self.password_env):
            problems.append("user: a password needs a user")
        return problems


@dataclass(frozen=True)
class AppriseChannel(Channel):
    """Channel that sends through the library apprise, an optional dependency."""

    url: str = secret_url("URL of the service in the notation of apprise. The output of commands shows its scheme.")
    url_file: str = file_name(_FILE.format("URL"))
    url_env: str = variable_name(_ENV.format("URL"))

    def problems(self) -> list[str]:
        return super().problems() + _one_of(self, "url", ("url", "url_file", "url_env"))

    @property
    def has_plain_secret(self) -> bool:
        return bool(self.url)


CHANNEL_KINDS: dict[str, type[Channel]] = {
    "webhook": WebhookChannel,
    "command": CommandChannel,
    "email": EmailChannel,
    "apprise": AppriseChannel,
}
"""Class of each kind of channel."""


def _one_of(channel: Channel, name: str, keys: Iterable[str], *, optional: bool = False) -> list[str]:
    """Return a problem if more than one of the keys is set, or none that is not optional."""
    names = tuple(keys)
    given = [key for key in names if getattr(channel, key)]
    if len(given) > 1:
        return [f"{given[1]}: {given[0]} is set already; keep one of them"]
    if given or optional:
        return []
    return [f"{name}: missing; set one of {', '.join(names)}"]


def _is_address(text: str) -> bool:
    """Return True for a mail address without display name; it becomes part of a header and of SMTP commands."""
    return re.fullmatch(r"[!-;=?A-~]+@[\w.-]+", text, re.ASCII) is not None

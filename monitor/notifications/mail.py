"""Mail: sends an event through an SMTP server."""

from __future__ import annotations

import hashlib
import smtplib
from datetime import UTC, datetime
from email.message import EmailMessage
from email.utils import format_datetime

from monitor.config.notify.channels import EmailChannel
from monitor.notifications.events import Event
from monitor.notifications.sending import Secrets, SendError, describe
from monitor.notifications.webhook import tls_context


def send_mail(channel: EmailChannel, event: Event, secrets: Secrets) -> None:
    """Send an event to the recipients of a channel.

    Raises:
        SendError: the server did not accept the mail for every recipient.
    """
    password = secrets.get("password")
    try:
        with _connect(channel, secrets) as server:
            if channel.user:
                server.login(channel.user, password)
            refused = server.send_message(message_of(channel, event))
    except smtplib.SMTPResponseException as error:
        raise SendError(f"SMTP status {error.smtp_code}") from None
    except (OSError, ValueError) as error:
        raise SendError(describe(error)) from None
    if refused:
        raise SendError(f"{len(refused)} of {len(channel.recipients)} recipients refused")


def message_of(channel: EmailChannel, event: Event) -> EmailMessage:
    """Return an event as a mail; the same key gives the same Message-ID."""
    message = EmailMessage()
    message["Subject"] = " ".join(event.title.split())
    message["From"] = channel.sender
    message["To"] = ", ".join(channel.recipients)
    message["Date"] = format_datetime(datetime.fromtimestamp(event.at, UTC))
    digest = hashlib.sha256(event.key.encode()).hexdigest()[:32]
    message["Message-ID"] = f"<{digest}@{channel.sender.rpartition('@')[2]}>"
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(event.text)
    return message


def _connect(channel: EmailChannel, secrets: Secrets) -> smtplib.SMTP:
    """Return a connection to the server, encrypted as configured.

    The name of the greeting is that of the sender's domain: looking up the own name may take long.
    """
    name = channel.sender.rpartition("@")[2]
    if channel.security == "tls":
        context = tls_context(channel.ca_file, secrets)
        return smtplib.SMTP_SSL(channel.host, channel.port, name, timeout=channel.timeout, context=context)
    server = smtplib.SMTP(channel.host, channel.port, name, timeout=channel.timeout)
    if channel.security == "starttls":
        try:
            server.starttls(context=tls_context(channel.ca_file, secrets))
        except BaseException:
            server.close()
            raise
    return server

"""Results of sending: error of an attempt, and secrets of a channel."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass, fields
from enum import StrEnum
from pathlib import Path

from monitor.config.notify.channels import Channel

MAX_SECRET = 16_384
"""Largest size of a secret in bytes."""


SECRET_FILES = frozenset({"url_file", "authorization_file", "routing_key_file", "password_file"})
"""Keys that name a file with a secret."""


class SendOutcome(StrEnum):
    """Outcome of one attempt: delivered, failed for now, or rejected by the receiver for good."""

    DELIVERED = "delivered"
    FAILED = "failed"
    REJECTED = "rejected"


@dataclass(frozen=True)
class SendResult:
    """Result of one attempt.

    Attributes:
        outcome: outcome of the attempt.
        problem: reason of a failure, without secrets; empty after a delivery.
        retry_after: seconds for which the receiver asks to wait; None if it did not ask.
    """

    outcome: SendOutcome
    problem: str = ""
    retry_after: float | None = None


class SendError(Exception):
    """Raised if an attempt failed; its message contains no secret.

    Attributes:
        rejected: True if another attempt with the same message cannot succeed.
        retry_after: seconds for which the receiver asks to wait; None if it did not ask.
    """

    def __init__(self, problem: str, *, rejected: bool = False, retry_after: float | None = None) -> None:
        super().__init__(problem)
        self.rejected = rejected
        self.retry_after = retry_after

    @property
    def result(self) -> SendResult:
        """The attempt as a result."""
        outcome = SendOutcome.REJECTED if self.rejected else SendOutcome.FAILED
        return SendResult(outcome, str(self), self.retry_after)


@dataclass(frozen=True)
class Secrets:
    """Secrets of one channel: the keys that end in `_file` or `_env`.

    Attributes:
        channel: channel.
        directories: directories at which relative paths start; the first that has the file applies.
    """

    channel: Channel
    directories: tuple[str, ...]

    def get(self, name: str) -> str:
        """Return the secret that `name`, `name`_file or `name`_env gives; empty if none of them is set.

        Raises:
            SendError: the file cannot be read, the variable is not set, or the secret is empty or has several lines.
        """
        if plain := getattr(self.channel, name, ""):
            return str(plain)
        if file := getattr(self.channel, f"{name}_file"):
            path = self.path(file)
            return _single_line(_read(path), str(path))
        if variable := getattr(self.channel, f"{name}_env"):
            return _single_line(os.environ.get(variable, ""), f"${variable}")
        return ""

    @property
    def files(self) -> tuple[Path, ...]:
        """Paths of the secret files of the channel."""
        names = (key.name for key in fields(self.channel) if key.name in SECRET_FILES)
        return tuple(self.path(file) for name in names if (file := getattr(self.channel, name)))

    def path(self, file: str) -> Path:
        """Return the path of a file: the first that exists, else that in the last directory."""
        candidates = [Path(directory, file) for directory in self.directories]
        return next((path for path in candidates if path.exists()), candidates[-1])


def secret_directories(configuration: Path) -> tuple[str, ...]:
    """Return the directories of secret files: that of systemd's credentials, and that of the configuration."""
    credentials = os.environ.get("CREDENTIALS_DIRECTORY")
    return (*([credentials] if credentials else ()), str(configuration.absolute()))


def describe(error: BaseException) -> str:
    """Return the cause of an error of the network or the file system, without the URL that its text may contain."""
    reason = getattr(error, "verify_message", None) or getattr(error, "strerror", None)
    return str(reason) if isinstance(reason, str) and reason else type(error).__name__


def _read(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return file.read(MAX_SECRET).decode()
    except OSError as error:
        raise SendError(f"{path}: {describe(error)}") from None
    except ValueError:
        raise SendError(f"{path}: not UTF-8") from None


def _single_line(text: str, place: str) -> str:
    lines: Iterable[str] = text.split("\n")
    stripped = [line.strip() for line in lines if line.strip()]
    if len(stripped) != 1 or not stripped[0].isprintable():
        raise SendError(f"{place}: {'no secret' if not stripped else 'not a single line of text'}")
    return stripped[0]

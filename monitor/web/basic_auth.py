"""Basic auth: who may ask, at a price that tells nothing and that a storm of wrong passwords cannot raise."""

from __future__ import annotations

import hashlib
import hmac
import os
import threading
from base64 import b64decode
from binascii import Error as Base64Error
from collections import OrderedDict
from collections.abc import Mapping
from typing import Literal

from monitor.system.logging import get_logger

log = get_logger(__name__)

Verdict = Literal["admitted", "refused", "busy"]

REMEMBERED = 64
"""Logins that succeeded and cost no hash the next time."""

WAITING = 2
"""Requests at most that hash or wait to: the other threads answer those who are known."""

LONGEST = 72
"""Bytes of a password that bcrypt looks at."""

DECOY = "$2b${cost}$QOauhQNbBCuQDKes6eFzPeMqBSjb7Mr5DUmpZ/VcEd00UAV/LDeSi"
"""What the password of a user who does not exist is compared with."""


class Users:
    """Says of a request's Authorization header whether it names a user with the right password.

    What is wrong costs as much as the costliest hash, whoever it names; what was right once is remembered under a key
    that only this process knows.
    """

    def __init__(self) -> None:
        self._secret = os.urandom(32)
        self._known: OrderedDict[bytes, None] = OrderedDict()
        self._lock, self._hashing = threading.Lock(), threading.Lock()
        self._room = threading.Semaphore(WAITING)

    def verdict(self, authorization: str, users: Mapping[str, bytes]) -> Verdict:
        """Whether it may pass; "busy" where too many are asking with credentials that are not known yet."""
        given = _credentials(authorization)
        if given is None:
            return "refused"
        name, password = given
        hashed = users.get(name)
        mark = self._mark(name, hashed or b"", password)
        if hashed and self._remembered(mark):
            return "admitted"
        if not self._room.acquire(blocking=False):
            return "busy"
        try:
            with self._hashing:
                right = _right(password, hashed, users)
        finally:
            self._room.release()
        if not right:
            return "refused"
        self._remember(mark)
        return "admitted"

    def _mark(self, *parts: bytes | str) -> bytes:
        raw = [part.encode() if isinstance(part, str) else part for part in parts]
        joined = b"".join(len(part).to_bytes(4, "big") + part for part in raw)
        return hmac.digest(self._secret, joined, hashlib.sha256)

    def _remembered(self, mark: bytes) -> bool:
        with self._lock:
            found = mark in self._known
            if found:
                self._known.move_to_end(mark)
            return found

    def _remember(self, mark: bytes) -> None:
        with self._lock:
            self._known[mark] = None
            while len(self._known) > REMEMBERED:
                self._known.popitem(last=False)


def _credentials(authorization: str) -> tuple[str, bytes] | None:
    scheme, _, encoded = authorization.partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        name, colon, password = b64decode(encoded.strip(), validate=True).partition(b":")
        return (name.decode(), password) if colon else None
    except (Base64Error, UnicodeDecodeError, ValueError):
        return None


def _right(password: bytes, hashed: bytes | None, users: Mapping[str, bytes]) -> bool:
    """Whether it is the password of a hash. Where it is not, it has cost as much as with the costliest user."""
    most = max(map(_cost, users.values()))
    compared = hashed or _decoy(most)
    right = _matches(password, compared)
    if not right:
        # the price doubles with each step of the cost, so these sum up to what is missing
        for cost in range(_cost(compared), most):
            _matches(password, _decoy(cost))
    return right and hashed is not None


def _matches(password: bytes, hashed: bytes) -> bool:
    """The hash itself. A password that is longer than bcrypt reads is wrong, and costs the same."""
    import bcrypt  # noqa: PLC0415

    try:
        return bcrypt.checkpw(password[:LONGEST], hashed) and len(password) <= LONGEST
    except ValueError as error:
        log.error("password hash rejected", error=error)
        return False


def _cost(hashed: bytes) -> int:
    return int(hashed.split(b"$")[2])


def _decoy(cost: int) -> bytes:
    return DECOY.format(cost=f"{cost:02}").encode()

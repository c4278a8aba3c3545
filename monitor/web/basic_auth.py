"""HTTP basic authentication: bcrypt checks with a cache and protection against timing attacks."""

from __future__ import annotations

import hashlib
import hmac
import os
import threading
from base64 import b64decode
from binascii import Error as Base64Error
from collections import OrderedDict
from collections.abc import Mapping
from enum import Enum

from monitor.system.logging import get_logger

log = get_logger(__name__)

MAX_CACHED_LOGINS = 64
"""Largest number of successful logins in the cache; a request with a cached login needs no hash."""

MAX_PENDING_HASHES = 2
"""Largest number of requests that compute or await a hash; other threads stay free for cached logins."""

MAX_PASSWORD_BYTES = 72
"""Longest password that can match, in bytes; bcrypt ignores all further bytes."""

DUMMY_HASH = "$2b${cost}$QOauhQNbBCuQDKes6eFzPeMqBSjb7Mr5DUmpZ/VcEd00UAV/LDeSi"
"""Template of the hash that a password is compared with if the user does not exist."""


class LoginResult(Enum):
    """Result of checking the credentials of a request."""

    ADMITTED = "admitted"
    REFUSED = "refused"
    BUSY = "busy"
    """Not checked, because too many hashes are being computed."""


class BasicAuthenticator:
    """Authenticator that checks Authorization headers against bcrypt hashes; thread-safe.

    A failed login takes as long as the hash with the highest cost, so that its duration does not reveal whether the
    user exists. A successful login is cached as an HMAC with a random key, so that the cache contains no password.
    """

    def __init__(self) -> None:
        self._secret = os.urandom(32)
        self._cache: OrderedDict[bytes, None] = OrderedDict()
        self._cache_lock = threading.Lock()
        self._hash_lock = threading.Lock()
        self._hash_slots = threading.Semaphore(MAX_PENDING_HASHES)

    def check(self, authorization: str, users: Mapping[str, bytes]) -> LoginResult:
        """Compare the credentials of a request with the cached logins and, if necessary, with the hash of the user.

        Args:
            authorization: the Authorization header.
            users: bcrypt hash for each user name; not empty.
        """
        credentials = _parse_credentials(authorization)
        if credentials is None:
            return LoginResult.REFUSED
        name, password = credentials
        hashed = users.get(name)
        cache_key = self._cache_key(name, hashed or b"", password)
        if hashed and self._is_cached(cache_key):
            return LoginResult.ADMITTED
        if not self._hash_slots.acquire(blocking=False):
            return LoginResult.BUSY
        try:
            with self._hash_lock:
                correct = _check_password(password, hashed, users)
        finally:
            self._hash_slots.release()
        if not correct:
            return LoginResult.REFUSED
        self._add_to_cache(cache_key)
        return LoginResult.ADMITTED

    def _cache_key(self, name: str, hashed: bytes, password: bytes) -> bytes:
        """Return the HMAC of a login. Length prefixes ensure that different logins give different messages."""
        parts = (name.encode(), hashed, password)
        message = b"".join(len(part).to_bytes(4, "big") + part for part in parts)
        return hmac.digest(self._secret, message, hashlib.sha256)

    def _is_cached(self, cache_key: bytes) -> bool:
        with self._cache_lock:
            if cache_key not in self._cache:
                return False
            self._cache.move_to_end(cache_key)
            return True

    def _add_to_cache(self, cache_key: bytes) -> None:
        with self._cache_lock:
            self._cache[cache_key] = None
            while len(self._cache) > MAX_CACHED_LOGINS:
                self._cache.popitem(last=False)


def user_of(authorization: str) -> str:
    """Return the user name of an Authorization header; empty if the header is malformed."""
    credentials = _parse_credentials(authorization)
    return "" if credentials is None else credentials[0]


def _parse_credentials(authorization: str) -> tuple[str, bytes] | None:
    """Return user name and password of an Authorization header; None if the header is malformed."""
    scheme, _, encoded = authorization.partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        name, colon, password = b64decode(encoded.strip(), validate=True).partition(b":")
        return (name.decode(), password) if colon else None
    except (Base64Error, UnicodeDecodeError, ValueError):
        return None


def _check_password(password: bytes, hashed: bytes | None, users: Mapping[str, bytes]) -> bool:
    """Return True if the password matches; a mismatch takes as long as the hash with the highest cost.

    Args:
        password: password of the request.
        hashed: bcrypt hash of the user; None if the user does not exist.
        users: bcrypt hash for each user name, from which the highest cost is taken.
    """
    highest_cost = max(map(_cost, users.values()))
    compared = hashed or _dummy_hash(highest_cost)
    matches = _matches(password, compared)
    if not matches:
        # The time doubles with each cost step, so one hash of each lower cost adds up to the difference.
        for cost in range(_cost(compared), highest_cost):
            _matches(password, _dummy_hash(cost))
    return matches and hashed is not None


def _matches(password: bytes, hashed: bytes) -> bool:
    """Return True if a password matches a hash; a password beyond MAX_PASSWORD_BYTES is hashed, but never matches."""
    import bcrypt  # noqa: PLC0415

    try:
        return bcrypt.checkpw(password[:MAX_PASSWORD_BYTES], hashed) and len(password) <= MAX_PASSWORD_BYTES
    except ValueError as error:
        log.error("password hash rejected", error=error)
        return False


def _cost(hashed: bytes) -> int:
    return int(hashed.split(b"$")[2])


def _dummy_hash(cost: int) -> bytes:
    return DUMMY_HASH.format(cost=f"{cost:02}").encode()

"""Incremental JSON reader: values of a large text, one by one."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TextIO

from monitor.errors import MonitorError

CHUNK = 2**18
"""Number of characters read at once."""

MAX_VALUE = 2**26
"""Largest length of one value in characters."""

KEY_LENGTH = 256
"""Number of characters kept between two chunks: a key lies in at least one of both."""

SEPARATORS = " \t\r\n,"


class JsonReader:
    """Reader of the values of selected keys, in the order of the text.

    Several documents in one text are read as one. The structure outside the selected values is not checked.
    """

    def __init__(self, path: Path, text: TextIO) -> None:
        """Initialize a reader.

        Args:
            path: path of the file, for messages.
            text: JSON text.
        """
        self._path = path
        self._text = text
        self._buffer = ""
        self._at = 0
        self._is_complete = False
        self._decoder = json.JSONDecoder()

    def head(self) -> str:
        """Return the first characters, which remain to be read."""
        if not self._buffer:
            self._read_more()
        return self._buffer

    def next_key(self, keys: re.Pattern[str]) -> str | None:
        """Move behind the next key, and return it; None at the end of the text.

        Args:
            keys: pattern whose first group matches a key, for example '"(name)":'.
        """
        while True:
            match = keys.search(self._buffer, self._at)
            if match:
                self._at = match.end()
                return match[1]
            if self._is_complete:
                return None
            self._at = max(self._at, len(self._buffer) - KEY_LENGTH)
            self._read_more()

    def value(self) -> Any:
        """Return the value at the current position, and move behind it.

        Raises:
            MonitorError: there is no valid JSON value, or it is too long.
        """
        while True:
            self._skip_separators()
            try:
                value, end = self._decoder.raw_decode(self._buffer, self._at)
            except (ValueError, RecursionError) as error:
                if self._is_complete:
                    raise self.refusal(f"damaged or incomplete JSON: {error}") from error
            else:
                # A number that ends with the buffer may continue in the next chunk.
                if end < len(self._buffer) or self._is_complete:
                    self._at = end
                    return value
            if len(self._buffer) - self._at > MAX_VALUE:
                raise self.refusal(f"a JSON value has more than {MAX_VALUE} characters")
            self._read_more()

    def elements(self) -> Iterator[Any]:
        """Yield the elements of the list at the current position.

        Raises:
            MonitorError: there is no list, or it is incomplete.
        """
        if self._next_character() != "[":
            raise self.refusal("a list is missing")
        self._at += 1
        while self._next_character() != "]":
            yield self.value()
        self._at += 1

    def refusal(self, problem: str) -> MonitorError:
        """Return the error for a problem with the file."""
        return MonitorError(f"{self._path}: {problem}")

    def _next_character(self) -> str:
        self._skip_separators()
        if self._at == len(self._buffer):
            raise self.refusal("incomplete JSON")
        return self._buffer[self._at]

    def _skip_separators(self) -> None:
        while True:
            while self._at < len(self._buffer) and self._buffer[self._at] in SEPARATORS:
                self._at += 1
            if self._at < len(self._buffer) or self._is_complete:
                return
            self._read_more()

    def _read_more(self) -> None:
        """Append the next chunk to the buffer, without the text before the current position."""
        # Twice the unread length: a long value is decoded a few times only.
        chunk = self._text.read(max(CHUNK, len(self._buffer) - self._at))
        self._is_complete = not chunk
        self._buffer = self._buffer[self._at :] + chunk
        self._at = 0

"""Container format: arrays and a JSON header in one NumPy archive with a checksum.

NumPy alone can read the archive, and reading it executes no code. A SHA-256 checksum covers header and
arrays, because the integrity check of a database does not detect a flipped bit.
"""

from __future__ import annotations

import hashlib
import io
import json
import math
import tokenize
import zipfile
import zlib
from typing import Any

import numpy as np

from model.array_types import Floats
from model.errors import SerializationError, SerializationProblem

MAX_BYTES = 64 * 2**20
"""Largest archive in bytes; archives of this package's networks are ten times smaller."""

MAX_HEADER_BYTES = 8 * 2**20
"""Largest JSON header in bytes; the parser needs several times as much memory."""

MAX_DIRECTORY_BYTES = 2**20
"""Largest zip directory in bytes; zipfile needs several times as much memory to read it."""

DTYPES = ("<f4", "<f8", "|u1")
"""Element types allowed in an archive."""

MAX_REASON_CHARACTERS = 200
"""Longest part of another library's message in an error: zipfile quotes a damaged name as a whole."""

ZIP_END_BYTES = 22
"""Size of the end-of-directory record of a zip file without comment (PKWARE APPNOTE 4.3.16)."""

PARSE_ERRORS = (
    ValueError, LookupError, TypeError, OSError, EOFError, RuntimeError, SyntaxError, MemoryError,
    tokenize.TokenError, zipfile.BadZipFile, zlib.error,
)  # fmt: skip
"""Exceptions that zipfile, NumPy and json raise for malformed bytes."""


MALFORMED = (ValueError, LookupError, TypeError, AttributeError, ArithmeticError, RecursionError, MemoryError)
"""Exceptions raised when an object is built from a header or arrays of the wrong type, shape, size or number."""


def pack(header: dict[str, Any], arrays: dict[str, Floats]) -> bytes:
    """Serialize a header and arrays; equal content gives equal bytes.

    Args:
        header: JSON object; the key "sha256" is added.
        arrays: arrays by name.

    Raises:
        SerializationError: an array has an element type that `unpack` does not read, or the archive is too large.
        ValueError: the header holds a number that is not finite.
    """
    unsupported = {name: value.dtype.str for name, value in arrays.items() if value.dtype.str not in DTYPES}
    if unsupported:
        raise SerializationError(f"only {', '.join(DTYPES)} can be stored, not {unsupported}")
    header = json.loads(json.dumps(header, allow_nan=False))
    header["sha256"] = _digest(header, arrays)
    buffer = io.BytesIO()
    text = np.frombuffer(json.dumps(header, sort_keys=True).encode(), np.uint8)
    np.savez(buffer, header=text, **arrays)  # type: ignore[arg-type]
    if buffer.tell() > MAX_BYTES:
        raise SerializationError(
            f"{buffer.tell()} bytes are more than can be stored (at most {MAX_BYTES})", SerializationProblem.TOO_LARGE
        )
    return buffer.getvalue()


def unpack(blob: bytes, kind: str, newest: int) -> tuple[dict[str, Any], dict[str, Floats]]:
    """Deserialize the header and the arrays from the result of `pack`.

    Args:
        blob: bytes from `pack`.
        kind: expected value of "kind" in the header, e.g. "network".
        newest: newest format number that the caller can read.

    Returns:
        The header without its checksum, and the arrays by name.

    Raises:
        SerializationError: the bytes are not an archive from `pack`, or the archive is damaged, too large, of another
            kind or of a newer format.
    """
    if len(blob) > MAX_BYTES:
        raise SerializationError(
            f"{len(blob)} bytes are more than a {kind} has (at most {MAX_BYTES})", SerializationProblem.TOO_LARGE
        )
    try:
        return _read(blob, kind, newest)
    except (zipfile.BadZipFile, zlib.error) as error:
        if blob.startswith(b"PK\3\4"):
            raise SerializationError(f"damaged: {_reason(error)}", SerializationProblem.DAMAGED) from error
        raise _foreign(kind, "it is not a zip file") from error
    except PARSE_ERRORS as error:
        raise _foreign(kind, _reason(error)) from error


def _read(blob: bytes, kind: str, newest: int) -> tuple[dict[str, Any], dict[str, Floats]]:
    _check_zip_end(blob)
    with zipfile.ZipFile(io.BytesIO(blob)) as archive:
        arrays = {entry.filename.removesuffix(".npy"): _read_array(archive, entry) for entry in archive.infolist()}
    if "header" not in arrays:
        raise _foreign(kind, "it has no header")
    text = arrays.pop("header").tobytes()
    if len(text) > MAX_HEADER_BYTES:
        raise SerializationError(
            f"{len(text)} bytes are more than the header of a {kind} has", SerializationProblem.TOO_LARGE
        )
    header = json.loads(text, parse_constant=_refuse_constant)
    if not isinstance(header, dict):
        raise _foreign(kind, "its header is not a JSON object")
    _check_header(header, kind, newest)
    if header.pop("sha256") != _digest(header, arrays):
        raise SerializationError(f"the {kind} is damaged: its checksum does not match", SerializationProblem.DAMAGED)
    return header, arrays


def _refuse_constant(name: str) -> None:
    """Raise ValueError: `pack` writes neither NaN nor infinity."""
    raise ValueError(f"its header has the number {name}")


def _reason(error: Exception) -> str:
    message = str(error)
    return message if len(message) <= MAX_REASON_CHARACTERS else f"{message[:MAX_REASON_CHARACTERS]}..."


def _foreign(kind: str, reason: str) -> SerializationError:
    return SerializationError(f"not a {kind} of monitor: {reason}", SerializationProblem.FOREIGN)


def _check_zip_end(blob: bytes) -> None:
    """Raise BadZipFile unless the archive ends with an end-of-directory record that states a small directory.

    zipfile allocates as much memory as the record states. A comment after the record and a zip64 record are rejected,
    because `pack` writes neither (PKWARE APPNOTE 4.3.15, 4.3.16).
    """
    end = blob[-ZIP_END_BYTES:]
    zip64_locator = blob[-ZIP_END_BYTES - 20 : -ZIP_END_BYTES - 16]
    if not end.startswith(b"PK\5\6") or zip64_locator == b"PK\6\7":
        raise zipfile.BadZipFile("the end of the file is missing or has been changed")
    if int.from_bytes(end[12:16], "little") > MAX_DIRECTORY_BYTES:
        raise zipfile.BadZipFile("its directory is too large")


def _check_header(header: dict[str, Any], kind: str, newest: int) -> None:
    # Early releases stored models without a kind.
    stored_kind = header.get("kind", "model")
    if stored_kind != kind:
        shown_kind = json.dumps(stored_kind)[:40].strip('"')
        raise SerializationError(f"a {shown_kind}, not a {kind}", SerializationProblem.KIND)
    number = header.get("format")
    if type(number) is not int or number < 1:
        raise _foreign(kind, f"its format is {number!r}")
    if number > newest:
        raise SerializationError(
            f"the {kind} has format {number}, this release reads up to {newest}: upgrade monitor",
            SerializationProblem.NEWER_FORMAT,
        )


def _read_array(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> Floats:
    """Return the array stored in an entry of the archive.

    Raises:
        SerializationError: the entry is compressed, has a type not in DTYPES or another layout than `pack` writes, or
            its shape does not match the size of its data.
    """
    name = entry.filename
    if entry.compress_type != zipfile.ZIP_STORED or entry.file_size != entry.compress_size:
        raise SerializationError(f"{name} is compressed, and only uncompressed arrays are read")
    raw = io.BytesIO(archive.read(entry))
    if np.lib.format.read_magic(raw) != (1, 0):
        raise SerializationError(f"{name} is not an array of NumPy's format 1.0")
    shape, fortran_order, dtype = np.lib.format.read_array_header_1_0(raw)
    if dtype.str not in DTYPES or fortran_order:
        raise SerializationError(f"{name} has elements {dtype.str!r}; only {', '.join(DTYPES)} are read")
    stated = math.prod(shape) * dtype.itemsize
    available = entry.file_size - raw.tell()
    if stated != available or min(shape, default=0) < 0:
        raise SerializationError(f"{name} states the shape {shape}, {stated} bytes, and has {available}")
    return np.frombuffer(raw.read(), dtype).reshape(shape).copy()


def _digest(header: dict[str, Any], arrays: dict[str, Floats]) -> str:
    digest = hashlib.sha256(json.dumps(header, sort_keys=True).encode())
    for name in sorted(arrays):
        value = arrays[name]
        digest.update(f"{name} {value.dtype.str} {value.shape}".encode())
        digest.update(np.ascontiguousarray(value).tobytes())
    return digest.hexdigest()

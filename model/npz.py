"""Arrays and facts as bytes, and back.

A NumPy archive with a JSON header: readable without this code, and nothing in it is ever executed. Every byte
that counts is under a checksum, for one flipped bit passes a database's own integrity check.
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
from model.errors import SerializationError

MAX_BYTES = 64 * 2**20
"""More than any network of this kind."""

MAX_HEADER_BYTES = 8 * 2**20
"""Bytes; read as JSON it takes a multiple of them."""

MAX_DIRECTORY_BYTES = 2**20
"""Bytes of the archive's table of contents; read by zipfile it takes a multiple of them."""

DTYPES = ("<f4", "<f8", "|u1")

DAMAGED = (
    ValueError, LookupError, TypeError, OSError, EOFError, RuntimeError, SyntaxError, MemoryError,
    tokenize.TokenError, zipfile.BadZipFile, zlib.error,
)  # fmt: skip
"""What zipfile, NumPy and JSON raise for bytes that are not theirs."""


def pack(header: dict[str, Any], arrays: dict[str, Floats]) -> bytes:
    """The same content gives the same bytes.

    Args:
        header: what JSON can hold; "sha256" is added.
        arrays: by name.

    Raises:
        SerializationError: more, or of another type, than `unpack` reads.
    """
    wrong = {name: value.dtype.str for name, value in arrays.items() if value.dtype.str not in DTYPES}
    if wrong:
        raise SerializationError(f"only {', '.join(DTYPES)} are kept, not {wrong}")
    header = json.loads(json.dumps(header, allow_nan=False))
    header["sha256"] = _digest(header, arrays)
    buffer = io.BytesIO()
    text = np.frombuffer(json.dumps(header, sort_keys=True).encode(), np.uint8)
    np.savez(buffer, header=text, **arrays)  # type: ignore[arg-type]
    if buffer.tell() > MAX_BYTES:
        raise SerializationError(f"{buffer.tell()} bytes are more than are kept (at most {MAX_BYTES})")
    return buffer.getvalue()


def unpack(blob: bytes, kind: str, newest: int) -> tuple[dict[str, Any], dict[str, Floats]]:
    """The header and the arrays of `pack`.

    Args:
        blob: the bytes.
        kind: what the header must say it is.
        newest: the newest format that can be read.

    Raises:
        SerializationError: not such an archive, a damaged one, or one of a newer format.
    """
    if len(blob) > MAX_BYTES:
        raise SerializationError(f"{len(blob)} bytes are more than a {kind} has (at most {MAX_BYTES})")
    try:
        _check_contents(blob)
        with zipfile.ZipFile(io.BytesIO(blob)) as archive:
            arrays = {entry.filename.removesuffix(".npy"): _array(archive, entry) for entry in archive.infolist()}
        if "header" not in arrays:
            raise SerializationError(f"not a {kind} of monitor: it has no header")
        text = arrays.pop("header").tobytes()
        if len(text) > MAX_HEADER_BYTES:
            raise SerializationError(f"{len(text)} bytes are more than the header of a {kind} has")
        header = json.loads(text)
        _check_header(header, kind, newest)
        if header.pop("sha256") != _digest(header, arrays):
            raise SerializationError(f"the {kind} is damaged: its checksum does not match")
    except (zipfile.BadZipFile, zlib.error) as error:
        which = "damaged" if blob.startswith(b"PK\3\4") else f"not a {kind} of monitor"
        raise SerializationError(f"{which}: {error}") from error
    except DAMAGED as error:
        raise SerializationError(f"not a {kind} of monitor: {error}") from error
    return header, arrays


def _check_contents(blob: bytes) -> None:
    """Holds the end of a zip file against what `pack` writes there, before zipfile allocates what it claims.

    PKWARE's APPNOTE 4.3.15 and 4.3.16: the last 22 bytes where there is no comment, and before them nothing of zip64.
    """
    end = blob[-22:]
    if not end.startswith(b"PK\5\6") or blob[-42:-38] == b"PK\6\7":
        raise zipfile.BadZipFile("its end is not that of an archive of arrays")
    if int.from_bytes(end[12:16], "little") > MAX_DIRECTORY_BYTES:
        raise zipfile.BadZipFile("its table of contents is too large")


def _check_header(header: Any, kind: str, newest: int) -> None:
    # the first release wrote models alone and did not say so
    found = header.get("kind", "model") if isinstance(header, dict) else kind
    if found != kind:
        raise SerializationError(f"a {json.dumps(found)[:40].strip(chr(34))}, not a {kind}")
    number = header["format"] if isinstance(header, dict) else None
    if type(number) is not int or number < 1:
        raise SerializationError(f"not a {kind} of monitor: its format is {number!r}")
    if number > newest:
        raise SerializationError(
            f"the {kind} has format {number}, this release reads up to {newest}: upgrade monitor"
        )


def _array(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> Floats:
    """One array, after what it claims was held against the bytes that are there."""
    name = entry.filename
    if entry.compress_type != zipfile.ZIP_STORED or entry.file_size != entry.compress_size:
        raise SerializationError(f"{name} is compressed, which models never are")
    raw = io.BytesIO(archive.read(entry))
    if np.lib.format.read_magic(raw) != (1, 0):
        raise SerializationError(f"{name} is not an array of NumPy's format 1.0")
    shape, fortran, dtype = np.lib.format.read_array_header_1_0(raw)
    if dtype.str not in DTYPES or fortran:
        raise SerializationError(f"{name} has elements {dtype.str!r}; only {', '.join(DTYPES)} are read")
    claimed, there = math.prod(shape) * dtype.itemsize, entry.file_size - raw.tell()
    if claimed != there or min(shape, default=0) < 0:
        raise SerializationError(f"{name} claims the shape {shape}, {claimed} bytes, and has {there}")
    return np.frombuffer(raw.read(), dtype).reshape(shape).copy()


def _digest(header: dict[str, Any], arrays: dict[str, Floats]) -> str:
    digest = hashlib.sha256(json.dumps(header, sort_keys=True).encode())
    for name in sorted(arrays):
        value = arrays[name]
        digest.update(f"{name} {value.dtype.str} {value.shape}".encode())
        digest.update(np.ascontiguousarray(value).tobytes())
    return digest.hexdigest()

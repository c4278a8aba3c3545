"""Spool: file of samples that a daemon could not store, for its next start."""

from __future__ import annotations

import hashlib
import json
import os
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import astuple
from pathlib import Path

from monitor.errors import MonitorError
from monitor.sampling.write_buffer import CAPACITY
from monitor.system.atomic_write import open_replacement
from storage import SAMPLE_FIELDS, Sample

SUFFIX = ".spool"

FORMAT = 1

MAX_BYTES = 64 * 2**20
"""Largest size of a spool that is read; CAPACITY samples take about 4 MB."""

PATIENCE = 2.0
"""Longest time in seconds to wait for the file system of one place."""


class SpoolError(MonitorError):
    """Raised if a spool is damaged."""


def spool_paths(database: Path, environ: Mapping[str, str]) -> list[Path]:
    """Return the places of the spool, in the order in which they are tried.

    The first is next to the database, and the second next to a symbolic link to it, whose target may be missing. The
    runtime and the state directory of the service follow, as those directories may be unwritable.

    Args:
        database: path of the database.
        environ: environment variables.
    """
    real = os.path.realpath(database)
    name = f"monitor-{hashlib.sha256(real.encode(errors='surrogateescape')).hexdigest()[:16]}{SUFFIX}"
    variables = ("RUNTIME_DIRECTORY", "STATE_DIRECTORY", "XDG_RUNTIME_DIR")
    # systemd separates several directories by colons.
    directories = [environ[variable].partition(":")[0] for variable in variables if environ.get(variable)]
    nearby = dict.fromkeys((real, os.path.abspath(database)))  # noqa: PTH100 - Path.resolve() follows links
    return [*(Path(path + SUFFIX) for path in nearby), *(Path(directory) / name for directory in directories)]


def write_spool(paths: Sequence[Path], samples: Sequence[Sample], patience: float = PATIENCE) -> Path | None:
    """Add samples to the spool, and return its path; None if no place can be written.

    The newest CAPACITY samples are kept. The file appears completely or not at all.

    Args:
        paths: places, in the order in which they are tried.
        samples: samples to add.
        patience: longest time in seconds for one place: its file system may not respond.
    """
    for path in paths:
        written = threading.Event()
        thread = threading.Thread(target=_write, args=(path, samples, written), name="spool", daemon=True)
        try:
            thread.start()
        except RuntimeError:
            # The process has no resources for a thread.
            _write(path, samples, written)
        else:
            thread.join(patience)
        if written.is_set():
            return path
    return None


def read_spool(path: Path) -> list[Sample]:
    """Return the samples of a spool; empty if there is no file.

    Raises:
        SpoolError: the file is damaged.
        OSError: the file cannot be read.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
    except FileNotFoundError:
        return []
    with os.fdopen(descriptor, "rb") as file:
        digest, _, content = file.read(MAX_BYTES).partition(b"\n")
    if hashlib.sha256(content).hexdigest().encode() != digest:
        raise SpoolError(f"{path}: the checksum does not match")
    document = json.loads(content)
    if document.get("format") != FORMAT:
        raise SpoolError(f"{path}: unknown format")
    # A newer release may have added fields.
    known = {"at", *SAMPLE_FIELDS}
    return [
        Sample(**{name: value for name, value in zip(document["fields"], row, strict=True) if name in known})
        for row in document["samples"]
    ]


def _write(path: Path, samples: Sequence[Sample], written: threading.Event) -> None:
    """Write one place, and set `written` on success."""
    # Samples that waited at the last call, too, are kept once.
    kept = list({sample.at: sample for sample in (*_readable(path), *samples)}.values())[-CAPACITY:]
    rows = [astuple(sample) for sample in kept]
    content = json.dumps({"format": FORMAT, "fields": ("at", *SAMPLE_FIELDS), "samples": rows}).encode()
    digest = hashlib.sha256(content).hexdigest().encode()
    with suppress(MonitorError):
        with open_replacement(path, 0o600) as file:
            file.write(digest + b"\n" + content)
        written.set()


def _readable(path: Path) -> list[Sample]:
    try:
        return read_spool(path)
    except (SpoolError, OSError):
        return []

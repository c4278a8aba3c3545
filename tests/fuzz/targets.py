"""Fuzz targets: the readers of files from outside, each with valid seeds and the errors that it may raise."""

from __future__ import annotations

import gzip
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from random import Random
from zoneinfo import ZoneInfo

from model.anomaly.serialization import loads_detector
from model.errors import ModelError
from model.forecast.serialization import loads
from monitor.config.loader import load_config
from monitor.config.reference import effective_values, to_toml
from monitor.documents.traces import ImportOrigin, trace_import_document
from monitor.errors import MonitorError
from monitor.reports.files import trace_import_report
from monitor.sampling.import_summary import HistorySource, summary_of
from monitor.sampling.trace_format.options import TraceOptions
from monitor.sampling.trace_importer import ImportCounts, import_rows
from monitor.sampling.trace_reader import read_rows, read_trace
from monitor.stores import open_stores
from monitor.system.json_codec import to_json
from monitor.training.model_archive import unpack_archive
from monitor.web.web_config.loader import load_web_config_file, web_file_problems
from storage import StorageError
from tests.fuzz.archives import archive_seeds, mutate_archive
from tests.fuzz.invocations import draw_invocation, run_invocation
from tests.fuzz.mutations import mutate
from tests.fuzz.requests import REQUESTS, HttpTarget, mutate_request

ROOT = Path(__file__).parents[2]

OWN_ERRORS = (MonitorError, StorageError, ModelError)
"""Errors that reach a user as one sentence."""

MAX_MESSAGE = 60_000
"""Largest length of a message in characters: 100 problems of a configuration."""

CONFIG = b"""
[sampling]
interval = "5s"
sources = ["cpu", "memory"]
[storage]
url = "sqlite:////srv/monitor/monitor.db"
retention = "90d"
[high_load]
rules = [{ cpu_usage = 0.85 }, { cpu_usage = "p95", memory_usage = 0.80 }]
sustained = "1m"
horizons = ["5m", "15m"]
[training]
layers = [32, 16]
learning_rate = 0.001
seed = 3
[anomaly]
maintenance = ["daily 03:00-03:30"]
[web]
listen = "127.0.0.1:10190"
config_file = "web.yml"
allowed_hosts = ["*.example.org"]
"""

WEB_CONFIG = b"""
tls_server_config:
  cert_file: server.crt
  key_file: server.key
  client_auth_type: RequireAndVerifyClientCert
  client_ca_file: ca.pem
  min_version: TLS12
  cipher_suites: [TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256]
http_server_config:
  http2: true
  headers: {X-Frame-Options: deny, Strict-Transport-Security: max-age=1}
basic_auth_users:
  admin: $2b$04$m55bqaFeapegjRaozDNtQuXNf0Pt72iNmT979M4LH6b7vo5LAsLjW
rate_limit: {interval: 1s, burst: 5}
"""

ROWS = "".join(f"{1_700_000_000 + 5 * i},0.{i},0.5,{i * 1000}\n" for i in range(40))
WIDE = f"timestamp,cpu_usage,memory_usage,network_receive\n{ROWS}"

TRACES = (
    WIDE.encode(),
    WIDE.encode("utf-16"),
    WIDE.encode("utf-32"),
    gzip.compress(WIDE.encode()),
    b"timestamp;cpu_usage\n2026-01-01T00:00:00Z;12,5%\n2026-01-01T00:00:05+01:00;13,5%\n",
    b'series,time,value\n"cpu_usage",2026-01-01 00:00:00,0.5\ncpu_usage,2026-01-01 00:00:05,0.25\n',
    b"sep=;\ntimestamp;load_per_cpu\n1,7e9;0,5\n1,70001e9;0,6\n",
    b"time,pressure_io\n0,0.1\n5,0.2\n10,\n0e2,0.1\n",
    b'{"status":"success","data":{"resultType":"matrix","result":[]}}\n',
)

TRACE_OPTIONS = (
    TraceOptions(),
    TraceOptions(percent=True),
    TraceOptions(zone=ZoneInfo("Europe/Berlin"), columns={"cpu": "cpu_usage"}),
    TraceOptions(now=1.7e9),
)


@dataclass(frozen=True)
class Target:
    """Reader under test.

    Attributes:
        seeds: valid inputs.
        read: reads an input that was written to a file; receives the random generator of the run as well.
        mutate: returns a mutated input, given the generator and the seeds.
    """

    seeds: Sequence[bytes]
    read: Callable[[Path, Random], object]
    mutate: Callable[[Random, Sequence[bytes]], bytes] = mutate


def read_config(path: Path, _: Random) -> None:
    """Load a configuration, and write it in both forms."""
    config = load_config(path, (web_file_problems,))
    to_toml(config).encode()
    to_json(effective_values(config)).encode()
    assert config.training.recipe
    assert config.web.address
    assert config.database_url


def read_web_config(path: Path, _: Random) -> None:
    """Load a web.config.yml."""
    load_web_config_file(path)


def read_any_trace(path: Path, random: Random) -> None:
    """Read a trace with random options, write its report, and import one in fifty."""
    options = random.choice(TRACE_OPTIONS)
    rows = read_rows(path, options)
    read_trace(path, options)
    counts = ImportCounts()
    if random.random() < 0.02:
        with open_stores("sqlite://") as stores:
            counts = import_rows(stores.samples, rows)
    document = trace_import_document(
        ImportOrigin(str(path), HistorySource.CSV), summary_of(rows, counts), 5.0, dry_run=False
    )
    to_json(document).encode()
    str(trace_import_report(document)).encode()


def read_archive(load: Callable[[bytes], object], path: Path, _: Random) -> None:
    """Load a model, a detector or a model archive."""
    load(path.read_bytes())


TARGETS = ("config", "web_config", "trace", "predictor", "detector", "archive", "invocation", "request")


def target_of(name: str) -> Target:
    """Return one of TARGETS."""
    if name == "config":
        return Target((CONFIG, (ROOT / "config.toml").read_bytes()), read_config)
    if name == "web_config":
        return Target((WEB_CONFIG,), read_web_config)
    if name == "invocation":
        return Target((b"{}",), run_invocation, draw_invocation)
    if name == "request":
        return Target(REQUESTS, HttpTarget(), mutate_request)
    if name == "trace":
        return Target(TRACES, read_any_trace)
    loaders = {"predictor": loads, "detector": loads_detector, "archive": unpack_archive}
    return Target((archive_seeds()[name],), partial(read_archive, loaders[name]), mutate_archive)

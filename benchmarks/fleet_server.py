"""Server for benchmarks of a fleet: Prometheus API with replayed traces of many hosts.

    python -m benchmarks.fleet_server TRACE... --hosts 1000 --port 9091

Host number i replays a trace, shifted in time and scaled. The metrics are `cpu_usage` and `memory_usage` with the
label `instance`, one value per minute. `/requests` is the number of queries so far.
"""

from __future__ import annotations

import argparse
import json
import re
from collections.abc import Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import numpy as np

from model.array_types import Floats, Integers
from model.units import MINUTE
from monitor.sampling.trace_reader import read_trace

FIELDS = ("cpu_usage", "memory_usage")
STEP = MINUTE
SHIFT = 977
"""Steps by which consecutive hosts of one trace are shifted."""

DECIMALS = 4


class ReplayedFleet:
    """Values of many hosts at any time, from a few traces."""

    def __init__(self, paths: Sequence[Path], hosts: int) -> None:
        """Read the traces; traces with longer steps repeat their values every minute."""
        self.names = tuple(f"host{number:06}" for number in range(hosts))
        traces = []
        for path in paths:
            trace = read_trace(path)
            minutes = np.arange(trace.times[0], trace.times[-1], STEP)
            rows = np.searchsorted(trace.times, minutes, side="right") - 1
            columns = [
                trace.values[rows, trace.columns.index(name)] if name in trace.columns else np.full(len(rows), 0.5)
                for name in FIELDS
            ]
            traces.append(np.clip(np.nan_to_num(np.stack(columns), nan=0.0), 0, 1).astype(np.float32))
        self._length = min(trace.shape[1] for trace in traces)
        self._traces = np.stack([trace[:, : self._length] for trace in traces])
        number = np.arange(hosts)
        self._trace = number % len(traces)
        self._shift = number // len(traces) * SHIFT
        self._scale = 0.8 + 0.4 * np.random.default_rng(0).random(hosts)

    def values(self, field: int, hosts: Integers, minutes: Integers) -> Floats:
        """Return the values (hosts, minutes) of a field for hosts (n,) at minutes (m,) since the epoch."""
        places = (minutes[None] + self._shift[hosts, None]) % self._length
        values = self._traces[self._trace[hosts, None], field, places] * self._scale[hosts, None]
        return np.asarray(np.minimum(values, 1.0))

    def answer(self, parameters: dict[str, str]) -> bytes:
        """Return the body of the answer to an instant query or a range query."""
        query = parameters["query"]
        field = FIELDS.index(query.partition("{")[0])
        named = re.findall(r"host(\d{6})", query)
        hosts = np.array([int(name) for name in named] or range(len(self.names)), np.intp)
        if "time" in parameters:
            time = int(float(parameters["time"]))
            values = self.values(field, hosts, np.array([time // 60]))[:, 0]
            result: list[Any] = [
                {"metric": {"instance": self.names[host]}, "value": [time, repr(round(value, DECIMALS))]}
                for host, value in zip(hosts.tolist(), values.tolist(), strict=True)
            ]
            return _document("vector", result)
        times = np.arange(int(parameters["start"]), int(parameters["end"]) + 1, int(parameters["step"]))
        values = self.values(field, hosts, times // 60)
        result = [
            {
                "metric": {"instance": self.names[host]},
                "values": [[at, repr(round(value, DECIMALS))] for at, value in zip(times.tolist(), row, strict=True)],
            }
            for host, row in zip(hosts.tolist(), values.tolist(), strict=True)
        ]
        return _document("matrix", result)


def _document(kind: str, result: list[Any]) -> bytes:
    return json.dumps({"status": "success", "data": {"resultType": kind, "result": result}}).encode()


class Handler(BaseHTTPRequestHandler):
    """Handler of one connection; the fleet is an attribute of the class."""

    fleet: ReplayedFleet
    requests = 0
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        """Answer a query."""
        Handler.requests += 1
        length = int(self.headers["Content-Length"])
        parameters = {name: values[0] for name, values in parse_qs(self.rfile.read(length).decode()).items()}
        self._send(self.fleet.answer(parameters))

    def do_GET(self) -> None:
        """Return the number of queries so far."""
        self._send(str(Handler.requests).encode())

    def log_message(self, *_: Any) -> None:
        """Log nothing."""

    def _send(self, body: bytes) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def main() -> None:
    """Serve until the process is killed; print the port once it listens."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("traces", nargs="+", type=Path, metavar="TRACE")
    parser.add_argument("--hosts", type=int, default=1000)
    parser.add_argument("--port", type=int, default=0)
    options = parser.parse_args()
    Handler.fleet = ReplayedFleet(options.traces, options.hosts)
    server = ThreadingHTTPServer(("127.0.0.1", options.port), Handler)
    print(server.server_address[1], flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()

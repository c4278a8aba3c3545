"""Benchmark of a fleet: cycle, memory, start and training against a server that replays traces.

    python -m benchmarks.fleet TRACE... --check

Each size runs in a process of its own. The cycle reads one step of all hosts over HTTP and predicts for them; each
fifth one starts new time buckets, and each recalibrates the hosts whose turn it is. Histories are read over HTTP for
HTTP_HOSTS hosts; those of the others are added from the same traces without the server. CPU is that of the process
with all its threads, not of the server.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from benchmarks.fleet_server import FIELDS, STEP, ReplayedFleet
from benchmarks.report import Figure, main, with_record
from model.features.labels import Rules
from model.forecast.serialization import bundled_pretrained_model, dumps_pretrained
from model.training.refusal import RefusalReason
from model.training.settings import GateConfig
from model.training.task import Task
from model.units import DAY, HOUR
from monitor.config.fleet.source_section import SourceSection
from monitor.config.loader import Config
from monitor.daemon.memory import release_memory, tune_malloc
from monitor.fleet.forecasting import create_forecaster
from monitor.fleet.interfaces import FleetForecaster, HostHistory
from monitor.fleet.source.factory import create_source
from monitor.fleet.training.executors import LocalExecutor
from monitor.fleet.training.trainer import FleetTrainer

START = 1_700_006_400.0
"""Time of the first cycle in seconds since the epoch, at the start of a time bucket."""

HISTORY = 7 * DAY + 4 * HOUR
TRAINING_HISTORY = 14 * DAY
CYCLES = 12
WARM_UP_CYCLES = 2
HTTP_HOSTS = 20
"""Number of hosts whose histories are read over HTTP."""

BATCH = 100
"""Number of hosts added at once."""

TARGETS = {1000: (3.0, 400.0), 10_000: (40.0, 2000.0)}
"""Largest CPU seconds of a cycle and largest memory in MB, by number of hosts."""

RESULTS = Path(__file__).parent / "results" / "fleet.json"


@contextmanager
def replay_server(traces: Sequence[Path], hosts: int) -> Iterator[str]:
    """Run a server of replayed traces; yield its URL."""
    command = [sys.executable, "-m", "benchmarks.fleet_server", *map(str, traces), "--hosts", str(hosts)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield f"http://127.0.0.1:{int(process.stdout.readline())}"
        finally:
            process.kill()


def fleet_config(url: str) -> Config:
    """Return the configuration of a fleet whose hosts are those of a server of replayed traces."""
    fields = tuple((name, f"{name}{{$selector}}") for name in FIELDS)
    section = SourceSection(
        kind="prometheus",
        url=url,
        preset="none",
        fields=fields,
        delay=0.0,
        step=STEP,
        max_hosts=1_000_000,
        timeout=300.0,
    )
    return Config(source=section)


def memory(name: str) -> float:
    """Return a figure of /proc/self/status, such as VmHWM, in MB."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return float(next(line.split()[1] for line in lines if line.startswith(name))) / 1000


def measure_size(traces: Sequence[Path], hosts: int, url: str) -> dict[str, float]:
    """Return the figures of one size, in this process, whose memory is set up as that of the daemon."""
    tune_malloc()
    config = fleet_config(url)
    source = create_source(config, {})
    started = time.process_time()
    forecaster = create_forecaster(config, source.columns, source.step)
    forecaster.advance(source.read(START - STEP))
    first = time.process_time() - started
    names = sorted(forecaster.hosts)
    forecaster.remove(names)
    started = time.process_time()
    read = min(HTTP_HOSTS, hosts)
    parts: dict[str, list[HostHistory]] = {}
    for part in source.history(names[:read], START - HISTORY, START):
        parts.setdefault(part.host, []).append(part)
    for host, own in parts.items():
        times = np.concatenate([part.times for part in own])
        forecaster.add([HostHistory(host, times, np.concatenate([part.values for part in own]))])
    with_http = (time.process_time() - started) / read
    _add_histories(forecaster, ReplayedFleet(traces, hosts), read, hosts)
    release_memory()
    cycles = []
    before = _requests(url)
    for number in range(WARM_UP_CYCLES + CYCLES):
        started = time.process_time()
        forecast = forecaster.advance(source.read(START + STEP * number))
        cycles.append(time.process_time() - started)
        if len(forecast.hosts) != hosts or not np.isfinite(forecast.probabilities).all():
            raise RuntimeError(f"{len(forecast.hosts)} of {hosts} hosts have predictions")
    return {
        "cycle": max(cycles[WARM_UP_CYCLES:]),
        "mean_cycle": statistics.mean(cycles[WARM_UP_CYCLES:]),
        "memory": memory("VmRSS"),
        "peak": memory("VmHWM"),
        "first": first,
        "history": with_http,
        "queries": (_requests(url) - before) / (WARM_UP_CYCLES + CYCLES),
    }


def _add_histories(forecaster: FleetForecaster, fleet: ReplayedFleet, first: int, hosts: int) -> None:
    """Add the histories of the hosts from number `first` on."""
    minutes = np.arange(round((START - HISTORY) / STEP), round(START / STEP))
    times = minutes * STEP
    for begin in range(first, hosts, BATCH):
        batch = np.arange(begin, min(begin + BATCH, hosts))
        values = np.stack([fleet.values(field, batch, minutes) for field in range(len(FIELDS))], axis=2)
        forecaster.add([HostHistory(fleet.names[host], times, values[i]) for i, host in enumerate(batch)])


def _requests(url: str) -> int:
    with urllib.request.urlopen(url) as answer:
        return int(answer.read())


def training_rate(traces: Sequence[Path], hosts: int) -> float:
    """Return the own models that one core trains per hour, at TRAINING_HISTORY seconds of history.

    The high-load bound is the 95th percentile over the hosts. Hosts with too few events are not counted.
    """
    fleet = ReplayedFleet(traces, hosts)
    minutes = np.arange(round((START - TRAINING_HISTORY) / STEP), round(START / STEP))
    bound = float(np.quantile(fleet.values(0, np.arange(hosts), minutes), 0.95))
    with replay_server(traces, hosts) as url:
        config = fleet_config(url)
        task = Task(Rules(((("cpu_usage", bound),),), 60.0), config.high_load.horizons)
        trainer = FleetTrainer(create_source(config, {}), LocalExecutor(1), task, GateConfig())
        names = [f"host{number:06}" for number in range(hosts)]
        shared = dumps_pretrained(bundled_pretrained_model(), {})
        before = _children_seconds()
        results = list(trainer.train_own(names, START - TRAINING_HISTORY, START, shared))
        trained = sum(result.model is not None or result.reason in set(RefusalReason) for result in results)
        return 3600 * trained / (_children_seconds() - before)


def _children_seconds() -> float:
    """Return the CPU seconds of all processes that this one has started and that ended, the server excluded."""
    import resource  # noqa: PLC0415  not on every platform

    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def measure(options: argparse.Namespace) -> list[Figure]:
    """Measure all sizes, each in a process of its own, and the training."""
    sizes = [int(size) for size in options.sizes.split(",")]
    if options.worker:
        print(json.dumps(measure_size(options.traces, sizes[0], options.worker)))
        raise SystemExit(0)
    results = {}
    for size in sizes:
        with replay_server(options.traces, size) as url:
            command = [sys.executable, "-m", "benchmarks.fleet", *map(str, options.traces), f"--sizes={size}"]
            output = subprocess.run(
                [*command, f"--worker={url}"], check=True, stdout=subprocess.PIPE, text=True
            ).stdout
            results[size] = json.loads(output)
    figures = []
    for size, result in results.items():
        cycle, most = TARGETS.get(size, (None, None))
        figures += [
            Figure(f"{size} hosts, longest cycle", result["cycle"], cycle, "CPU s"),
            Figure(f"{size} hosts, mean cycle", result["mean_cycle"], unit="CPU s"),
            Figure(f"{size} hosts, memory during the cycles", result["memory"], most, "MB"),
            Figure(f"{size} hosts, largest memory, while histories are read", result["peak"], unit="MB"),
            Figure(f"{size} hosts, start to first predictions", result["first"], 300.0, "CPU s"),
            Figure(f"{size} hosts, histories of a week", result["history"] * size, unit="CPU s"),
            Figure(f"{size} hosts, queries per cycle", result["queries"], float(len(FIELDS))),
        ]
    if len(sizes) > 1:
        seconds = np.log([result["mean_cycle"] for result in results.values()])
        exponent = float(np.polyfit(np.log(sizes), seconds, 1)[0])
        figures.append(Figure("exponent of the growth of a cycle with hosts", exponent, 1.1))
    if options.trained:
        rate = training_rate(options.traces, options.trained)
        figures.append(Figure("own models trained per core-hour", rate, least=100.0))
    return with_record(figures, RESULTS, record=options.record)


def _more(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("traces", nargs="+", type=Path, metavar="TRACE")
    parser.add_argument("--record", action="store_true", help=f"write the figures to {RESULTS.name}")
    parser.add_argument("--worker", default="", help=argparse.SUPPRESS)


if __name__ == "__main__":
    raise SystemExit(
        main(
            __doc__ or "",
            measure,
            ("--sizes", "1000,3000,10000", "numbers of hosts, separated by commas"),
            ("--trained", 4, "number of hosts to train; 0 for none"),
            more=_more,
        )
    )

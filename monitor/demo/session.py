"""Session of the demonstration: temporary database, fast-forward, replay at constant speed."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from monitor.config.loader import Config, load_config
from monitor.config.notify.section import read_channels
from monitor.config.options import NestedError
from monitor.daemon.signals import Request, blocked_signals, wait_for_request
from monitor.daemon.stepped import SteppedDaemon
from monitor.daemon.storage import DaemonStorage
from monitor.demo import bundle
from monitor.demo.announcements import Announcer
from monitor.demo.replay import ReplayClock, TraceSource
from monitor.errors import ConfigError, MonitorError
from monitor.sampling.trace_reader import Trace, read_trace
from monitor.stores import Stores
from monitor.system.formatting import approximate_duration
from monitor.system.json_codec import to_json
from monitor.system.logging import setup_logging
from monitor.training.model_archive import import_model
from monitor.web import Application, guard, make_server
from monitor.web.server import WebServer
from storage import SAMPLE_FIELDS

FAST_FORWARD_SAMPLES = 15
"""Number of samples that the fast-forward stores at once, before it runs the jobs."""

WITHOUT_JOBS = ("compaction", "model_salvage", "retention", "retraining")
"""Jobs that do not run: the model is part of the package, and the database lives for minutes."""

IN_FAST_FORWARD = (*WITHOUT_JOBS, "notification")
"""Jobs that do not run in the fast-forward: its warnings are of hours before the replay."""


TIMEOUT = "3s"
"""Timeout of the channel: the replay waits for each delivery."""


@dataclass(frozen=True)
class DemoOptions:
    """Options of the demonstration.

    Attributes:
        listen: address of the HTTP server, as in `web.listen`.
        speed: seconds of the trace per second.
        keep: directory for the database, which is kept; None for a temporary one, which is removed at the end.
        webhook: URL that receives the notifications of the replay; None for none.
    """

    listen: str
    speed: float
    keep: Path | None = None
    webhook: str | None = None


def run_demo(options: DemoOptions, write: Callable[[str], None]) -> None:
    """Replay the bundled trace until SIGINT or SIGTERM; at the end of the trace, serve its last state.

    1. Store the samples before `TRAINED_UNTIL`, and let the bundled model serve, which learned from them.
    2. Fast-forward to `REPLAY_START`.
    3. Replay the rest of the trace at the speed of the options.

    Args:
        options: options.
        write: prints a line.

    Raises:
        MonitorError: the directory cannot be written, or the address cannot be bound.
        StorageError: the database cannot be written.
    """
    with ExitStack() as opened:
        opened.enter_context(blocked_signals())
        config = write_config(opened.enter_context(_directory(options.keep)), options.listen, options.webhook)
        setup_logging(config.log.level, config.log.format)
        trace = read_trace(bundle.TRACE)
        clock = ReplayClock(bundle.TRAINED_UNTIL)
        storage = opened.enter_context(closing(DaemonStorage(config.database_url)))
        storage.ensure_open()
        store_samples(storage.stores, trace)
        model = import_model(storage.stores, config, bundle.MODEL, bundle.TRAINED_UNTIL)
        storage.stores.registry.promote(model.model_id, bundle.TRAINED_UNTIL)
        announcer = Announcer(write)
        daemon = SteppedDaemon(config, storage, (TraceSource(trace, clock),), clock, (announcer.observe,))
        holder = daemon.holder
        opened.callback(holder.stop_notifications)
        notice = f"replay of {bundle.TITLE}, {options.speed:g} times as fast"
        application = Application(holder.state, lambda: holder.records, notice, clock, options.speed)
        web = opened.enter_context(closing(_bound_server(config, application)))
        holder.host = bundle.HOST
        holder.page_url = web.url
        web.start()
        _write_introduction(write, web.url, options.speed)
        if _replay(daemon, clock, trace, options.speed, announcer, storage.stores):
            write("end of the trace; the page shows its last state until Ctrl-C")
            while Request.STOP not in wait_for_request(3600.0):
                pass


def _replay(
    daemon: SteppedDaemon, clock: ReplayClock, trace: Trace, speed: float, announcer: Announcer, stores: Stores
) -> bool:
    """Step through the trace; return True at its end, False after a stop."""
    times = trace.times[trace.times >= bundle.TRAINED_UNTIL].tolist()
    due = time.monotonic()
    for number, at in enumerate(times):
        fast = at < bundle.REPLAY_START
        if at == bundle.REPLAY_START:
            announcer.announce(at, "end of the fast-forward")
        wait = 0.0 if fast else due - time.monotonic()
        if Request.STOP in wait_for_request(max(0.0, wait)):
            return False
        # A step that took longer than its time delays the following ones, instead of a burst to catch up.
        due = max(due, time.monotonic()) if fast else max(due, time.monotonic() - 60 / speed) + 60 / speed
        clock.now = at
        daemon.sample()
        if not fast or number % FAST_FORWARD_SAMPLES == 0:
            daemon.store()
            daemon.run_due_jobs(IN_FAST_FORWARD if fast else WITHOUT_JOBS)
            announcer.observe_jobs(daemon.holder.state())
            if daemon.holder.state().channels:
                announcer.observe_deliveries(at, stores.notifications.channel_health())
    return True


def _bound_server(config: Config, application: Application) -> WebServer:
    """Return the HTTP server of the demonstration, bound to its address.

    Raises:
        MonitorError: the address cannot be bound.
    """
    try:
        return make_server(config, guard(config, application, lambda: None, lambda: None))
    except MonitorError as error:
        raise MonitorError(f"{error}; choose another address with --listen") from error


@contextmanager
def _directory(keep: Path | None) -> Iterator[Path]:
    """Provide the directory of the database for a `with` block.

    Raises:
        MonitorError: the directory cannot be created, or is not empty.
    """
    if keep is not None:
        try:
            keep.mkdir(parents=True, exist_ok=True)
            if any(keep.iterdir()):
                raise MonitorError(f"{keep} is not empty")
        except OSError as error:
            raise MonitorError(f"{keep}: {error.strerror}") from error
        yield keep.resolve()
        return
    try:
        temporary = tempfile.TemporaryDirectory(prefix="monitor-demo-")
    except OSError as error:
        raise MonitorError(f"no temporary directory: {error.strerror}; --keep DIR uses another one") from error
    with temporary as name:
        yield Path(name)


def write_config(directory: Path, listen: str, webhook: str | None = None) -> Config:
    """Write the configuration of the replay, and return it.

    Args:
        directory: directory of the configuration and the database.
        listen: address of the HTTP server.
        webhook: URL of a channel for notifications; None for none.

    Raises:
        MonitorError: the file cannot be written, or the address or the URL is invalid.
    """
    path = directory / "config.toml"
    if webhook is not None:
        _check_webhook(webhook)
    try:
        table = f"\n[notify.channels.demo]\nurl = {to_json(webhook)}\ntimeout = {to_json(TIMEOUT)}\n"
        channel = "" if webhook is None else table
        path.write_text(bundle.CONFIG.format(directory=directory, listen=listen) + channel)
    except OSError as error:
        raise MonitorError(f"{path}: {error.strerror}") from error
    return load_config(path)


def _check_webhook(url: str) -> None:
    """Check the URL of `--webhook`.

    Raises:
        ConfigError: the URL is invalid; the message does not contain it.
    """
    try:
        read_channels({"demo": {"url": url}})
    except NestedError as error:
        raise ConfigError([f"--webhook: {str(error).removeprefix('demo.url: ')}"]) from error


def store_samples(stores: Stores, trace: Trace) -> None:
    """Store the samples of the trace before TRAINED_UNTIL.

    Raises:
        StorageError: the database cannot be written.
    """
    past = trace.times < bundle.TRAINED_UNTIL
    table = np.full((int(past.sum()), 1 + len(SAMPLE_FIELDS)), np.nan)
    table[:, 0] = trace.times[past]
    table[:, [1 + SAMPLE_FIELDS.index(field) for field in trace.columns]] = trace.values[past]
    stores.samples.insert_missing(table)


def _write_introduction(write: Callable[[str], None], url: str, speed: float) -> None:
    """Print what is replayed, where to look at it, and what will happen."""
    learned = approximate_duration(bundle.TRAINED_UNTIL - bundle.EPOCH)
    skipped = approximate_duration(bundle.REPLAY_START - bundle.TRAINED_UNTIL)
    warning, high_load, anomaly = (
        approximate_duration((at - bundle.REPLAY_START) / speed)
        for at in (bundle.WARNING_AT, bundle.HIGH_LOAD_AT, bundle.ANOMALY_AT)
    )
    write(f"Replay of {bundle.TITLE}; nothing is measured on this machine.")
    write(f"page: {url}  metrics: {url}metrics")
    write(
        f"The model learned on the first {learned} of the trace. It predicts the rest: a fast-forward of {skipped},"
    )
    write(f"then {speed:g} times as fast as it was. Expect a warning {warning} after the fast-forward, the high load")
    write(f"that it announces after {high_load}, and an anomaly after {anomaly}. Ctrl-C ends the demonstration.")
    write(f"High load is {bundle.RULE}; a warning that high load does not follow ends by itself.")

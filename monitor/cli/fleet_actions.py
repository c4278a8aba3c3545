"""Fleet actions: what status, predict, report and models print for the hosts of a fleet."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import click

from monitor.cli.actions import load_configuration, print_result
from monitor.cli.exit_codes import ExitCode
from monitor.cli.options import GlobalOptions
from monitor.errors import ConfigError, NotEnoughDataError

if TYPE_CHECKING:
    from monitor.config.loader import Config
    from monitor.documents.fleet import FleetHostDetailsDocument
    from monitor.fleet.process.state import FleetState
    from monitor.queries.channels import ChannelOverview
    from storage.fleet.repository import FleetRepository

LISTED_HOSTS = 20
"""Number of hosts in a report; `--json` has them all, at most 1,000."""

WEEK = 7 * 86400.0
MONTH = 30 * 86400.0

host_option = click.option(
    "--host", metavar="NAME", help='With source.kind = "prometheus": only this host, a value of source.host_label.'
)
"""Option of the commands that have a report for one host of a fleet."""


@dataclass(frozen=True)
class StoredFleet:
    """Fleet as of the database.

    Attributes:
        state: hosts and warnings.
        repository: the stored fleet.
        running: True if the fleet process runs.
        channels: notification channels.
    """

    state: FleetState
    repository: FleetRepository
    running: bool
    channels: tuple[ChannelOverview, ...]

    @property
    def note(self) -> str:
        """Sentence for predictions that are not current; empty while the process runs."""
        return "" if self.running else "the fleet process does not run: these are its last predictions"


def load_host_configuration(options: GlobalOptions) -> Config:
    """Load the configuration for a command that only a single host has.

    Raises:
        ConfigError: the configuration is invalid, or describes a fleet.
    """
    config = load_configuration(options)
    if config.source.is_fleet:
        command = click.get_current_context().command_path
        raise ConfigError([f'{command} is for a single host: source.kind is "prometheus" in {config.path}'])
    return config


def check_host_option(config: Config, host: str | None) -> None:
    """Refuse `--host` for a single host.

    Raises:
        ConfigError: the configuration describes a single host, and `--host` is given.
    """
    if host is not None and not config.source.is_fleet:
        raise ConfigError(['--host needs source.kind = "prometheus": this configuration describes this host only'])


def fleet_status(options: GlobalOptions, config: Config, host: str | None) -> int:
    """Print the status of the fleet process, or one host; exit code 3 if the process does not run."""
    from monitor.documents.status.parts import channel_status  # noqa: PLC0415
    from monitor.fleet.serving.stored_fleet import read_live_fleet_status, stored_status  # noqa: PLC0415
    from monitor.reports.fleet import fleet_status_report  # noqa: PLC0415

    with _stored_fleet(config) as fleet:
        if host is not None:
            _print_details(options, fleet, _newest_details(config, fleet, host))
        else:
            live = read_live_fleet_status(config) if fleet.running else None
            stored = stored_status(fleet.state, running=fleet.running)
            document = live or replace(stored, notifications=tuple(map(channel_status, fleet.channels)))
            print_result(options, document, fleet_status_report(document))
        return ExitCode.DONE if fleet.running else ExitCode.NOT_RUNNING


def fleet_predict(options: GlobalOptions, config: Config, host: str | None, at: float | None) -> int:
    """Print the newest predictions: of all hosts by risk, or of one.

    Raises:
        ConfigError: `--at` is given, or there is no such host.
        NotEnoughDataError: no host has a prediction.
    """
    from monitor.fleet.serving.selection import MAX_LIMIT, Selection, select_hosts  # noqa: PLC0415
    from monitor.fleet.serving.stored_fleet import read_live_hosts  # noqa: PLC0415
    from monitor.reports.fleet import fleet_hosts_report  # noqa: PLC0415

    if at is not None:
        raise ConfigError(["--at is for a single host: a fleet has the newest predictions only"])
    with _stored_fleet(config) as fleet:
        if host is not None:
            details = _newest_details(config, fleet, host)
            if not details.host.predictions:
                raise NotEnoughDataError(f"{host} has no current prediction: its newest sample is missing or too old")
            _print_details(options, fleet, details)
            return ExitCode.DONE
        limit = MAX_LIMIT if options.json else LISTED_HOSTS
        live = read_live_hosts(config, limit) if fleet.running else None
        page = live or select_hosts(fleet.state, Selection(limit=limit))
        if not any(entry.predictions for entry in page.hosts):
            raise NotEnoughDataError(_no_prediction(page.at, is_running=fleet.running))
        print_result(options, page, fleet_hosts_report(page, fleet.note))
    return ExitCode.DONE


def fleet_report(options: GlobalOptions, config: Config, host: str | None, since: float | None) -> int:
    """Print scores and warnings: over all hosts, or of one."""
    from monitor.documents.fleet import FleetReportDocument  # noqa: PLC0415
    from monitor.fleet.serving.host_documents import score_documents, warning_document  # noqa: PLC0415
    from monitor.reports.fleet import fleet_score_report  # noqa: PLC0415

    start = time.time() - (since or WEEK)
    with _stored_fleet(config) as fleet:
        if host is not None:
            _check_host(fleet, host)
        document = FleetReportDocument(
            since=start,
            host=host,
            horizons=score_documents(fleet.repository.scores(start, host)),
            warnings=tuple(map(warning_document, fleet.repository.warnings(start, host))),
        )
    print_result(options, document, fleet_score_report(document.horizons, document.warnings))
    return ExitCode.DONE


def fleet_models(options: GlobalOptions, config: Config, host: str | None) -> int:
    """Print the number of hosts that each model serves, or the model of one host."""
    from monitor.fleet.serving.stored_fleet import stored_status  # noqa: PLC0415
    from monitor.reports.fleet import fleet_models_report  # noqa: PLC0415

    with _stored_fleet(config) as fleet:
        models = stored_status(fleet.state, running=fleet.running).models
        if host is not None:
            details = _details(fleet, host, WEEK)
            models = {details.host.model: 1} if details.host.model else {}
    print_result(options, models, fleet_models_report(models))
    return ExitCode.DONE


def _no_prediction(at: float | None, *, is_running: bool) -> str:
    """Return the reason why no host has a current prediction, given the newest step in seconds since the epoch."""
    from monitor.system.formatting import format_time  # noqa: PLC0415

    problem = "" if is_running else ", and the fleet process does not run"
    if at is None:
        return f"no host has a prediction yet{problem}"
    return f"no host has a current prediction: the newest sample is of {format_time(at)}{problem}"


@contextmanager
def _stored_fleet(config: Config) -> Iterator[StoredFleet]:
    from monitor.fleet.serving.stored_fleet import read_stored_fleet  # noqa: PLC0415
    from monitor.queries.channels import read_channels  # noqa: PLC0415
    from monitor.stores import open_stores  # noqa: PLC0415
    from storage import is_locked  # noqa: PLC0415
    from storage.fleet.repository import FleetRepository  # noqa: PLC0415

    with open_stores(config.database_url, create=False) as stores:
        path = stores.database.lock_path("daemon")
        repository = FleetRepository(stores.database)
        running = path is not None and is_locked(path)
        now = time.time()
        channels = read_channels(stores, config.notify, now)
        yield StoredFleet(read_stored_fleet(repository, config, now), repository, running, channels)


def _check_host(fleet: StoredFleet, host: str) -> None:
    from monitor.system.suggestions import suggestion  # noqa: PLC0415

    hosts = fleet.state.table.hosts
    if host not in hosts:
        raise ConfigError([f"--host: there is no host {host[:60]!r}{suggestion(host[:60], hosts)}"])


def _details(fleet: StoredFleet, host: str, seconds: float) -> FleetHostDetailsDocument:
    """Return the details of one host, with the scores of the last `seconds`.

    Raises:
        ConfigError: there is no such host.
    """
    from monitor.fleet.serving.host_documents import details_document  # noqa: PLC0415

    _check_host(fleet, host)
    now = time.time()
    warnings = fleet.repository.warnings(now - MONTH, host)
    scores = fleet.repository.scores(now - seconds, host)
    document = details_document(fleet.state, host, warnings, scores)
    if document is None:
        raise ConfigError([f"--host: there is no host {host!r}"])
    return document


def _newest_details(config: Config, fleet: StoredFleet, host: str) -> FleetHostDetailsDocument:
    """Return the details of one host from the process, or as stored if it does not answer.

    Raises:
        ConfigError: there is no such host.
    """
    from monitor.fleet.serving.stored_fleet import read_live_host  # noqa: PLC0415

    live = read_live_host(config, host) if fleet.running else None
    return live or _details(fleet, host, WEEK)


def _print_details(options: GlobalOptions, fleet: StoredFleet, details: FleetHostDetailsDocument) -> None:
    from monitor.reports.fleet import fleet_host_report  # noqa: PLC0415

    print_result(options, details, fleet_host_report(details, fleet.note))

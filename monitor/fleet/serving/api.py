"""JSON API of a fleet: status, hosts, one host, warnings and configuration."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from model.units import DAY
from monitor.documents.configuration import ConfigCheckDocument
from monitor.documents.fleet import (
    FleetDocument,
    FleetHostDetailsDocument,
    FleetStatusDocument,
    FleetWarningDocument,
)
from monitor.documents.status.parts import channel_status
from monitor.fleet.process.state import FleetState
from monitor.fleet.serving.host_documents import details_document, status_document, warning_document
from monitor.fleet.serving.selection import parse_selection, select_hosts
from monitor.queries.channels import ChannelOverview
from monitor.system.suggestions import suggestion
from monitor.web.api import ApiError
from monitor.web.api.parameters import MAX_ECHO
from storage import StorageError
from storage.fleet.repository import FleetRepository

FLEET_PATH = "/api/v1/fleet"
HOST_PREFIX = f"{FLEET_PATH}/hosts/"

RECENT_WARNINGS = 30 * DAY
RECENT_SCORES = 7 * DAY
"""Seconds of the warnings and scores of a host."""

MAX_COMPARED = 2000
"""Largest number of hosts that an unknown name is compared with."""

Query = Mapping[str, str]


class FleetApi:
    """JSON API of the fleet process.

    Attributes:
        documents: for each path, a function from the query parameters to the document.
    """

    def __init__(
        self,
        state: Callable[[], FleetState],
        repository: Callable[[], FleetRepository | None],
        clock: Callable[[], float] = time.time,
        channels: Callable[[], Sequence[ChannelOverview]] = tuple,
    ) -> None:
        """Initialize the API.

        Args:
            state: returns the current state of the process.
            repository: returns the stored fleet; None while the database is not open.
            clock: returns the current time in seconds since the epoch.
            channels: returns the stored state of each notification channel; may raise StorageError.
        """
        self._state = state
        self._repository = repository
        self._clock = clock
        self._channels = channels
        self.documents: dict[str, Callable[[Query], object]] = {
            "/api/v1/status": lambda _: self.status_with_channels(),
            FLEET_PATH: self.hosts,
            "/api/v1/warnings": lambda _: self.warnings(),
            "/api/v1/config": lambda _: self.configuration(),
        }

    def answer(self, path: str, query: Query) -> object:
        """Return the document at a path.

        Args:
            path: a key of `documents`, or HOST_PREFIX with the name of a host.
            query: query parameters; only FLEET_PATH has any.

        Raises:
            ApiError: the document is not available, or the query is invalid.
        """
        if query and path != FLEET_PATH:
            raise ApiError(400, f"no parameter {sorted(query)[0][:MAX_ECHO]}: this path takes none")
        try:
            if path in self.documents:
                return self.documents[path](query)
            return self.host(path.removeprefix(HOST_PREFIX))
        except StorageError as error:
            raise ApiError(503, str(error)) from error

    def status(self) -> FleetStatusDocument:
        """Return the status of the process."""
        return status_document(self._state())

    def status_with_channels(self) -> FleetStatusDocument:
        """Return the status with the notification channels; without the database, they lack."""
        try:
            channels = tuple(map(channel_status, self._channels()))
        except StorageError:
            channels = ()
        return replace(self.status(), notifications=channels)

    def hosts(self, query: Query) -> FleetDocument:
        """Return one page of the hosts that match the query parameters.

        Raises:
            ApiError: the query is invalid.
        """
        return select_hosts(self._state(), parse_selection(query))

    def host(self, name: str) -> FleetHostDetailsDocument:
        """Return one host with its newest sample, warnings and scores; without the database, the stored ones lack.

        Raises:
            ApiError: there is no such host.
        """
        state = self._state()
        if name not in state.table.rows:
            near = suggestion(name[:MAX_ECHO], state.table.hosts[:MAX_COMPARED])
            raise ApiError(404, f"there is no host {name[:MAX_ECHO]}{near}")
        now = self._clock()
        repository = self._repository()
        try:
            warnings = [] if repository is None else repository.warnings(now - RECENT_WARNINGS, name)
            scores = [] if repository is None else repository.scores(now - RECENT_SCORES, name)
        except StorageError:
            warnings, scores = [], []
        document = details_document(state, name, warnings, scores)
        if document is None:
            raise ApiError(404, f"there is no host {name[:MAX_ECHO]}")
        return document

    def warnings(self) -> tuple[FleetWarningDocument, ...]:
        """Return the warnings of all hosts that started in the last 30 days, newest first, at most 1,000.

        Raises:
            ApiError: the database is not open.
            StorageError: the database cannot be read.
        """
        repository = self._repository()
        if repository is None:
            raise ApiError(503, "the database is not open yet")
        return tuple(map(warning_document, repository.warnings(self._clock() - RECENT_WARNINGS)))

    def configuration(self) -> ConfigCheckDocument:
        """Return the configuration in effect, with credentials redacted."""
        # Imported late: few processes are asked for their configuration.
        from monitor.config.reference import effective_values  # noqa: PLC0415

        config = self._state().config
        return ConfigCheckDocument(str(config.path) if config.path else None, config=effective_values(config))

"""All checks, each by itself: one that raises is told of like one that fails."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial

from monitor.config.loader import Config
from monitor.doctor.checks import clock, database, disk, host, models, permissions, port
from monitor.doctor.context import Evidence, gather
from monitor.doctor.results import Result, failed
from monitor.system.logging import redact_credentials

Check = Callable[[Evidence], Iterable[Result]]


@dataclass(frozen=True)
class Named:
    """A check, and what it is called where it raises."""

    name: str
    look: Callable[[], Iterable[Result]]


WITHOUT_CONFIGURATION = (
    Named("versions", host.versions),
    Named("BLAS threads", host.blas_threads),
    Named("clock", clock.synchronised),
    Named("service", permissions.service),
)

CHECKS: tuple[tuple[str, Check], ...] = (
    ("configuration", host.configuration),
    ("source", host.kernel_figures),
    ("limits", host.container_limits),
    ("state directory", permissions.state_directory),
    ("config rights", permissions.configuration_readable),
    ("key rights", permissions.keys_private),
    ("daemon", permissions.daemon),
    ("samples", clock.stored_times),
    ("disk space", disk.room),
    ("file system", disk.file_system),
    ("database", database.opened),
    ("integrity", database.integrity),
    ("log", database.files),
    ("port", port.port),
    ("model", models.serving),
    ("trainings", models.trainings),
    ("live skill", models.quality),
    ("detector", models.detector),
)
"""In the order in which they are told."""


def examine(config: Config, now: float) -> list[Result]:
    """Every check; changes nothing.

    Args:
        config: of the daemon that is looked at.
        now: seconds since the epoch.
    """
    # One after the other what is read of the database: the evidence closes files that a check may open.
    evidence = gather(config, now)
    return _examined([*WITHOUT_CONFIGURATION, *(Named(name, partial(look, evidence)) for name, look in CHECKS)])


def examine_without(problems: tuple[str, ...]) -> list[Result]:
    """What can be looked at where the configuration is broken."""
    return [*_examined(WITHOUT_CONFIGURATION), *host.broken_configuration(problems)]


def _examined(checks: Iterable[Named]) -> list[Result]:
    # Beside each other, because several wait: for a port, for systemd, for a second reading.
    with ThreadPoolExecutor(max_workers=4) as pool:
        return [result for found in pool.map(one, checks) for result in found]


def one(check: Named) -> list[Result]:
    """What a check finds, and that it raised where it did."""
    found: list[Result] = []
    try:
        found.extend(check.look())
    except Exception as error:
        told = (
            f"the check could not be made: {type(error).__name__}: {redact_credentials(' '.join(str(error).split()))}"
        )
        found.append(
            failed(check.name, told[:300], "a mistake in this program, or a host it does not know: report it")
        )
    return found

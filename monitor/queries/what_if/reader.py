"""Reader of what-if: results of the present and of a changed setting."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from model.features.labels import Rules
from model.units import DAY, MINUTE
from monitor.config.loader import Config
from monitor.queries.what_if.evaluation import Setting, SettingResult, evaluate
from monitor.queries.what_if.inputs import Labels, StoredProbabilities, read_labels, read_probabilities
from monitor.stores import Stores

MAX_RANGE = 30 * DAY
"""Longest evaluated history in seconds, which bounds the cost."""

CACHE_SECONDS = 5 * MINUTE
"""Time in seconds for which the stored predictions and the present result are kept."""


class WhatIfError(ValueError):
    """Raised for a change that the stored history or the configuration does not allow."""


@dataclass(frozen=True)
class WhatIfChange:
    """Changed setting.

    Attributes:
        seconds: length of the evaluated history.
        precision: warning precision; None for the configured one.
        bounds: changed bounds by (position of the rule, metric).
    """

    seconds: float
    precision: float | None = None
    bounds: Mapping[tuple[int, str], float] = field(default_factory=dict)


@dataclass(frozen=True)
class WhatIf:
    """Results of the present and of a changed setting on the same history.

    Attributes:
        since: start of the history in seconds since the epoch.
        until: end of the history in seconds since the epoch.
        predictions: number of evaluated predictions.
        present: result of the configuration.
        changed: result of the changed setting.
    """

    since: float
    until: float
    predictions: int
    present: SettingResult
    changed: SettingResult


@dataclass(frozen=True)
class _Kept:
    """Stored predictions and present result of one period."""

    since: float
    until: float
    setting: Setting
    stored: dict[float, StoredProbabilities]
    present: SettingResult


class WhatIfReader:
    """Reader of what-if results, one at a time; thread-safe."""

    def __init__(self, stores: Stores, config: Config, rules: Callable[[], Rules]) -> None:
        """Initialize the reader.

        Args:
            stores: repositories.
            config: configuration with the present setting.
            rules: returns the rules of the serving model, with its quantiles resolved.
        """
        self._stores = stores
        self._config = config
        self._rules = rules
        self._lock = threading.Lock()
        self._kept: dict[float, _Kept] = {}

    def setting(self) -> Setting:
        """Return the present setting, with quantiles as resolved by the serving model.

        Raises:
            WhatIfError: a bound is a quantile that no model has resolved.
        """
        configured = self._config.rules
        served = self._rules()
        same = [[metric for metric, _ in rule] for rule in served.rules] == [
            [metric for metric, _ in rule] for rule in configured.rules
        ]
        resolved = configured.rules
        if same:
            resolved = tuple(
                tuple(
                    (metric, known if isinstance(bound, str) else bound)
                    for (metric, bound), (_, known) in zip(rule, other, strict=True)
                )
                for rule, other in zip(configured.rules, served.rules, strict=True)
            )
        rules = Rules(resolved, configured.sustained)
        if not rules.resolved:
            raise WhatIfError("a bound is a quantile that no model has resolved yet")
        return Setting(self._config.warning.precision, rules)

    def read(self, change: WhatIfChange, now: float) -> WhatIf:
        """Return the results of the present and of the changed setting.

        Args:
            change: changed setting.
            now: seconds since the epoch.

        Raises:
            WhatIfError: the change names an unknown bound, or a quantile is not resolved yet.
            StorageError: the database cannot be read.
        """
        with self._lock:
            setting = self.setting()
            changed = changed_setting(setting, change)
            kept = self._read_present(change.seconds, setting, now)
            result = kept.present if changed == setting else self._evaluate(changed, setting, kept)
        predictions = sum(len(horizon.at) for horizon in kept.stored.values())
        return WhatIf(kept.since, kept.until, predictions, kept.present, result)

    def _read_present(self, seconds: float, setting: Setting, now: float) -> _Kept:
        kept = self._kept.get(seconds)
        if kept is not None and kept.setting == setting and 0 <= now - kept.until < CACHE_SECONDS:
            return kept
        oldest = self._stores.samples.oldest_at()
        since = now - seconds if oldest is None else min(max(now - seconds, oldest - 1.0), now - 1.0)
        stored = read_probabilities(self._stores, self._config.high_load.horizons, (since, now))
        # Periods before the first prediction cannot be announced.
        since = min((float(part.at[0]) - 1.0 for part in stored.values() if len(part.at)), default=since)
        labels = self._labels(setting, since, now)
        kept = _Kept(since, now, setting, stored, evaluate(setting, setting.precision, labels, stored))
        # Only one period is kept: its predictions take a few megabytes.
        self._kept = {seconds: kept}
        return kept

    def _evaluate(self, changed: Setting, setting: Setting, kept: _Kept) -> SettingResult:
        labels = self._labels(changed, kept.since, kept.until)
        return evaluate(changed, setting.precision, labels, kept.stored)

    def _labels(self, setting: Setting, since: float, until: float) -> Labels:
        horizons = self._config.high_load.horizons
        return read_labels(self._stores, setting.rules, self._config.sampling.interval, horizons, (since, until))


def changed_setting(setting: Setting, change: WhatIfChange) -> Setting:
    """Return a setting with its changes.

    Raises:
        WhatIfError: the change names a bound that no rule has.
    """
    known = {(position, metric) for position, rule in enumerate(setting.rules.rules) for metric, _ in rule}
    unknown = sorted(set(change.bounds) - known)
    if unknown:
        position, metric = unknown[0]
        raise WhatIfError(f"rule {position + 1} has no bound of {metric}")
    rules = tuple(
        tuple((metric, change.bounds.get((position, metric), bound)) for metric, bound in rule)
        for position, rule in enumerate(setting.rules.rules)
    )
    precision = setting.precision if change.precision is None else change.precision
    return Setting(precision, Rules(rules, setting.rules.sustained))

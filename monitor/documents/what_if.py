"""Documents of what-if: warnings of another precision or of other high-load bounds."""

from __future__ import annotations

from dataclasses import dataclass

from model.forecast.events import EventScore
from monitor.config.loader import Config
from monitor.queries.what_if import HorizonResult, Setting, SettingResult, WhatIf
from monitor.system.formatting import format_duration

SAME_RULES = (
    "The warnings are computed from the stored probabilities, as the daemon would have given them, at most one "
    "prediction per 30 s. A later period may differ."
)

OTHER_RULES = (
    "Other bounds change which periods count as high load. These are recomputed, but the stored probabilities are "
    "of a model that was trained for the present bounds. The figures say how well that model announces the other "
    "periods; a model trained for the other bounds may do better or worse."
)


@dataclass(frozen=True)
class WarningScoreDocument:
    """Warnings matched to the high-load periods.

    Attributes:
        horizon: seconds; None for the warnings of any horizon.
        horizon_name: the horizon as in the configuration; "any" for the warnings of any horizon.
        warnings: number of warnings that started; None for the warnings of any horizon.
        periods: number of high-load periods with predictions before them.
        announced: number of periods that a warning preceded by at most one horizon.
        lead_time: median time from the warning to the period, in seconds; None if no period was announced.
        lead_time_quartiles: lower and upper quartile of that time in seconds; None if no period was announced.
        false_warnings: number of false warnings; None if unknown.
        false_warnings_per_week: false warnings per week; None if unknown, or if counted for less than a day.
    """

    horizon: float | None
    horizon_name: str
    warnings: int | None
    periods: int
    announced: int
    lead_time: float | None
    lead_time_quartiles: tuple[float, float] | None
    false_warnings: int | None
    false_warnings_per_week: float | None


@dataclass(frozen=True)
class WhatIfSettingDocument:
    """Result of one setting.

    Attributes:
        precision: target precision of warnings.
        threshold: probability at which a warning of a fitted model starts.
        rules: bounds by metric of each high-load rule.
        high_load_periods: number of high-load periods.
        horizons: warnings for each horizon, then those of any horizon.
    """

    precision: float
    threshold: float
    rules: tuple[dict[str, float], ...]
    high_load_periods: int
    horizons: tuple[WarningScoreDocument, ...]


@dataclass(frozen=True)
class WhatIfDocument:
    """Warnings of the present and of a changed setting on the stored history; result of /api/v1/what-if.

    Attributes:
        since: start of the history in seconds since the epoch.
        until: end of the history in seconds since the epoch.
        predictions: number of evaluated predictions of all horizons.
        present: result of the configuration.
        changed: result of the changed setting.
        rules_changed: True if a bound differs, so that the model was trained for other periods.
        notes: what the figures mean.
        configuration: lines for config.toml with the changed setting.
    """

    since: float
    until: float
    predictions: int
    present: WhatIfSettingDocument
    changed: WhatIfSettingDocument
    rules_changed: bool
    notes: str
    configuration: str


def what_if_document(result: WhatIf, config: Config) -> WhatIfDocument:
    """Convert a what-if result to its JSON document.

    Args:
        result: results of both settings.
        config: configuration of the present setting.
    """
    changed = result.changed.setting
    rules_changed = changed.rules != result.present.setting.rules
    return WhatIfDocument(
        since=result.since,
        until=result.until,
        predictions=result.predictions,
        present=_setting_document(result.present),
        changed=_setting_document(result.changed),
        rules_changed=rules_changed,
        notes=f"{SAME_RULES} {OTHER_RULES}" if rules_changed else SAME_RULES,
        configuration=_configuration(changed, config, rules_changed=rules_changed),
    )


def _setting_document(result: SettingResult) -> WhatIfSettingDocument:
    setting = result.setting
    any_horizon = _score_document(None, "any", None, result.any_horizon)
    return WhatIfSettingDocument(
        precision=setting.precision,
        threshold=setting.threshold,
        rules=tuple({metric: float(bound) for metric, bound in rule} for rule in setting.rules.rules),
        high_load_periods=result.periods,
        horizons=(*map(_horizon_document, result.horizons), any_horizon),
    )


def _horizon_document(result: HorizonResult) -> WarningScoreDocument:
    return _score_document(result.horizon, format_duration(result.horizon), result.warnings, result.score)


def _score_document(
    horizon: float | None, name: str, warnings: int | None, score: EventScore
) -> WarningScoreDocument:
    quartiles = score.lead_time_quartiles
    return WarningScoreDocument(
        horizon=horizon,
        horizon_name=name,
        warnings=warnings,
        periods=score.periods,
        announced=score.announced,
        lead_time=None if quartiles is None else quartiles[1],
        lead_time_quartiles=None if quartiles is None else (quartiles[0], quartiles[2]),
        false_warnings=score.false_warnings,
        false_warnings_per_week=score.false_warnings_per_week,
    )


def _configuration(changed: Setting, config: Config, *, rules_changed: bool) -> str:
    """Return the lines of config.toml; bounds are written only if one differs, as they may be quantiles."""
    lines = ["[warning]", f"precision = {changed.precision:g}"]
    if rules_changed:
        tables = [", ".join(f"{metric} = {bound:g}" for metric, bound in rule) for rule in changed.rules.rules]
        rules = ", ".join(f"{{ {table} }}" for table in tables)
        sustained = format_duration(config.high_load.sustained)
        lines += ["", "[high_load]", f"rules = [{rules}]", f'sustained = "{sustained}"']
    return "\n".join(lines)

"""Section of the configuration page for what-if: form and result."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from monitor.sampling.metric_catalog import RATIO_FIELDS
from monitor.web.api import Api, ApiError
from storage import StorageError

if TYPE_CHECKING:
    from monitor.documents.what_if import WhatIfDocument
    from monitor.queries.what_if import Setting

RANGES = (("24h", "1 day"), ("7d", "7 days"), ("14d", "14 days"), ("30d", "30 days"))
"""Lengths of the history: value of the parameter, label."""

STEPS_PER_BOUND = 100
"""Number of positions of a slider for a bound that is no ratio."""


@dataclass(frozen=True)
class Field:
    """Number field of the form with its slider.

    Attributes:
        name: name of the parameter.
        label: text of the field.
        value: current value.
        low: smallest value of the slider.
        high: largest value of the slider.
        step: distance of two positions of the slider.
    """

    name: str
    label: str
    value: str
    low: float
    high: float
    step: float


@dataclass(frozen=True)
class WhatIfView:
    """Section of the configuration page for what-if.

    Attributes:
        fields: fields of the form; empty while the present setting is not known.
        range: selected length of the history.
        result: result of a submitted form; None without one.
        error: reason why there is no result; empty if the form was not submitted.
    """

    fields: tuple[Field, ...] = ()
    range: str = "7d"
    result: WhatIfDocument | None = None
    error: str = ""


def what_if_view(api: Api, query: Mapping[str, str]) -> WhatIfView:
    """Return the section for the query of a page; nothing is computed without a submitted form."""
    setting = api.what_if_setting()
    if setting is None:
        return WhatIfView(error="the present bounds are not known yet")
    result = None
    error = ""
    if query:
        try:
            result = api.what_if(query)
        except (ApiError, StorageError) as failure:
            error = str(failure)
    return WhatIfView(_fields(setting, query), query.get("range", "7d"), result, error)


def _fields(setting: Setting, query: Mapping[str, str]) -> tuple[Field, ...]:
    precision = query.get("precision", f"{setting.precision:g}")
    fields = [Field("precision", "warning precision", precision, 0.3, 0.99, 0.01)]
    for number, rule in enumerate(setting.rules.rules, 1):
        for metric, bound in rule:
            name = f"bound_{number}_{metric}"
            high = 1.0 if metric in RATIO_FIELDS else 2.0 * float(bound)
            step = 0.01 if metric in RATIO_FIELDS else high / STEPS_PER_BOUND
            value = query.get(name, f"{float(bound):g}")
            fields.append(Field(name, f"rule {number}: {metric}", value, step, high, step))
    return tuple(fields)

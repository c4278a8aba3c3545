"""Report migration: conversion of training reports stored by older releases."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

UNVERSIONED = 0
"""Version of a stored report without a `version` key."""

EXPERTS = {"networks": "network", "load": "load_table", "prior": "pretrained"}
"""Names of the experts in unversioned reports, with their current names."""

DETECTOR_KEYS = {"trial": "validation", "left_out_share": "excluded_share"}
"""Keys of the object `detector` in unversioned reports, with their current names."""


def migrate(report: Mapping[str, Any], version: int) -> dict[str, Any]:
    """Convert a stored report to the form that this release writes.

    Values of an unexpected type are copied unchanged: decoding rejects them.

    Args:
        report: stored report.
        version: version of the stored form; UNVERSIONED if the report has no key `version`.
    """
    migrated = dict(report)
    for change in _CHANGES[max(version, 0) :]:
        migrated = change(migrated)
    return {**migrated, "version": VERSION}


def _name_experts(report: dict[str, Any]) -> dict[str, Any]:
    """Convert an unversioned report to version 1.

    - `prior` becomes `pretrained`.
    - `shares` of a horizon become `blend_weights`, with the current names of the experts.
    - `shares` of an input become `frequencies`.
    - An empty detector becomes None; otherwise two of its keys are renamed.
    - Advice that is one string becomes a list.
    """
    renamed = {"pretrained" if key == "prior" else key: value for key, value in report.items()}
    if not renamed.get("detector"):
        renamed["detector"] = None
    _replace(renamed, "detector", lambda value: _object(value, _detector))
    _replace(renamed, "horizons", lambda value: _each(value, _horizon))
    _replace(renamed, "inputs", lambda value: _each_value(value, _input))
    _replace(renamed, "health", lambda value: _object(value, _health))
    return renamed


def _add_folds(report: dict[str, Any]) -> dict[str, Any]:
    """Convert a report of version 1 to version 2: add the number of folds, which was 1 in all such reports."""
    return {**report, "folds": 1} if report.get("horizons") else report


_CHANGES: tuple[Callable[[dict[str, Any]], dict[str, Any]], ...] = (_name_experts, _add_folds)
"""For each version, the conversion to the next version."""

VERSION = len(_CHANGES)
"""Version of the stored form that this release writes."""


def _horizon(horizon: dict[str, Any]) -> dict[str, Any]:
    migrated = {key: value for key, value in horizon.items() if key != "shares"}
    shares = horizon.get("shares")
    if isinstance(shares, dict):
        migrated["blend_weights"] = {EXPERTS.get(name, name): weight for name, weight in shares.items()}
    return migrated


def _detector(detector: dict[str, Any]) -> dict[str, Any]:
    return {DETECTOR_KEYS.get(key, key): value for key, value in detector.items()}


def _input(distribution: dict[str, Any]) -> dict[str, Any]:
    return {"frequencies" if key == "shares" else key: value for key, value in distribution.items()}


def _health(health: dict[str, Any]) -> dict[str, Any]:
    advice = health.get("advice")
    sentences = advice if isinstance(advice, list) else [advice]
    return {**health, "advice": [sentence for sentence in sentences if sentence]}


def _replace(report: dict[str, Any], key: str, change: Callable[[Any], Any]) -> None:
    if key in report:
        report[key] = change(report[key])


def _object(value: Any, change: Callable[[dict[str, Any]], Any]) -> Any:
    return change(value) if isinstance(value, dict) else value


def _each(value: Any, change: Callable[[dict[str, Any]], Any]) -> Any:
    return [_object(entry, change) for entry in value] if isinstance(value, list | tuple) else value


def _each_value(value: Any, change: Callable[[dict[str, Any]], Any]) -> Any:
    return {key: _object(entry, change) for key, entry in value.items()} if isinstance(value, dict) else value

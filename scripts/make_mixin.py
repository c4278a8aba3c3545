#!/usr/bin/env python3
"""Mixin generator: the Prometheus rules and Grafana dashboards of deploy/mixin as YAML and JSON files.

    python scripts/make_mixin.py [DIRECTORY]

The default directory is deploy. It needs the package `jsonnet`.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import _jsonnet
import yaml

DEPLOY = Path(__file__).resolve().parents[1] / "deploy"
EVALUATED = (
    f"local mixin = import '{DEPLOY}/mixin/mixin.libsonnet';"
    "{ alerts: mixin.prometheusAlerts, rules: mixin.prometheusRules, dashboards: mixin.grafanaDashboards }"
)
KEYS = (
    *("name", "alert", "record", "interval", "expr", "for", "keep_firing_for", "labels", "annotations"),
    *("summary", "description", "runbook_url", "dashboard_url", "rules"),
)
"""Order of the keys of groups, rules and annotations in rule files."""
HEADER = "# Generated from deploy/mixin by `make mixin`: change it there.\n"


class RuleDumper(yaml.SafeDumper):
    """YAML in the layout of rule files: nested lists indented, expressions of several lines as blocks."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:  # noqa: ARG002
        """Indent lists below their key, which `indentless` would not."""
        super().increase_indent(flow, indentless=False)


def _represent_text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    """Return a block for several lines, a plain or quoted scalar for one."""
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)


RuleDumper.add_representer(str, _represent_text)


def rules_as_yaml(rules: dict[str, Any]) -> str:
    """Return rule groups as the text of a rule file."""
    return HEADER + yaml.dump(ordered(rules), Dumper=RuleDumper, sort_keys=False, width=10_000)


def ordered(value: Any) -> Any:
    """Return a value with the keys of its objects in the order of KEYS, then by name; jsonnet sorts them by name."""
    if isinstance(value, dict):
        keys = sorted(value, key=lambda key: (KEYS.index(key) if key in KEYS else len(KEYS), key))
        return {key: ordered(value[key]) for key in keys}
    if isinstance(value, list):
        return [ordered(entry) for entry in value]
    return value


def main() -> None:
    """Write the rule files and one file per dashboard."""
    directory = Path(sys.argv[1]) if len(sys.argv) > 1 else DEPLOY
    mixin = json.loads(_jsonnet.evaluate_snippet("mixin", EVALUATED))
    contents = {
        Path("prometheus", "alerts.yml"): rules_as_yaml(mixin["alerts"]),
        Path("prometheus", "recording.yml"): rules_as_yaml(mixin["rules"]),
    }
    for name, dashboard in mixin["dashboards"].items():
        text = json.dumps(dashboard, indent=2, ensure_ascii=False) + "\n"
        contents[Path("grafana", "dashboards", name)] = text
    for name, text in contents.items():
        (directory / name).parent.mkdir(parents=True, exist_ok=True)
        (directory / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()

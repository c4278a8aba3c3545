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
    groups = [_ordered(group) | {"rules": [_ordered(rule) for rule in group["rules"]]} for group in rules["groups"]]
    return HEADER + yaml.dump({"groups": groups}, Dumper=RuleDumper, sort_keys=False, width=10_000)


def _ordered(entry: dict[str, Any]) -> dict[str, Any]:
    """Return a group or rule with its keys in the order of Prometheus' documentation; jsonnet sorts them by name."""
    order = (
        "name",
        "alert",
        "record",
        "interval",
        "expr",
        "for",
        "keep_firing_for",
        "labels",
        "annotations",
        "rules",
    )
    annotations = ("summary", "description", "runbook_url", "dashboard_url")
    result = {key: entry[key] for key in order if key in entry}
    if "annotations" in result:
        result["annotations"] = {key: result["annotations"][key] for key in annotations}
    return result


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

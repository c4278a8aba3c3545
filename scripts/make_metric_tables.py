#!/usr/bin/env python3
"""Metric table generator: tables of host metrics in the reference pages, from the metric catalogue.

    python scripts/make_metric_tables.py [DIRECTORY]

The default directory is docs/reference. A table stands between two comments that name this script.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

from monitor.sampling.metric_catalog import HOST_METRICS

ROOT = Path(__file__).resolve().parents[1]
START = "<!-- Made by `make metric-tables`. -->\n"
END = "<!-- End of the table. -->\n"


def source_table() -> str:
    """Return the table of sources and fields, for host-metrics.md."""
    rows = ["| source | field | unit | meaning | missing if |", "|---|---|---|---|---|"]
    previous = ""
    for metric in HOST_METRICS:
        source = "" if metric.source == previous else f"`{metric.source}` "
        unit = metric.unit.replace("_", " ")
        rows.append(f"| {source}| `{metric.field}` | {unit} | {metric.description} | {metric.missing} |")
        previous = metric.source
    return "\n".join(rows) + "\n"


def prometheus_table() -> str:
    """Return the table of Prometheus metrics, for metrics.md."""
    rows = ["| metric | type | labels | meaning |", "|---|---|---|---|"]
    rows += [f"| `monitor_{metric.prometheus_name}` | gauge |  | {metric.description} |" for metric in HOST_METRICS]
    return "\n".join(rows) + "\n"


def main() -> None:
    """Replace the tables in both pages."""
    directory = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "docs" / "reference"
    for name, table in (("host-metrics.md", source_table()), ("metrics.md", prometheus_table())):
        page = directory / name
        text, count = re.subn(
            f"{re.escape(START)}.*?{re.escape(END)}",
            lambda _, table=table: START + table + END,
            page.read_text(encoding="utf-8"),
            flags=re.DOTALL,
        )
        if count != 1:
            raise SystemExit(f"{page}: {count} tables between the comments, expected 1")
        page.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()

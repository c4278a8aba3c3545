"""Foreign formats: detection of files from other tools, with conversion advice."""

from __future__ import annotations

import re
from collections.abc import Sequence

GUIDE = "docs/how-to/import.md"

FORMATS = (
    (r'\s*[{\[].*"(resultType|status)"', "a JSON response of the Prometheus API (query or query_range)"),
    (r'\s*\{.*"sysstat"', "JSON of sadf"),
    (r'\s*\{.*"(panels|dashboard|schemaVersion)"', "a Grafana dashboard"),
    (r'\s*\{.*"results"', "a JSON response of InfluxDB"),
    (r"\s*[{\[]", "JSON"),
    (r"\s*<\?xml|\s*<(html|!doctype|sysstat)", "XML or HTML"),
    (r"# (HELP|TYPE|UNIT|EOF)\b", "the Prometheus exposition format, which has current values and no history"),
    (
        r"[a-zA-Z_:][\w:]*(\{[^{}]*\})?[ \t]+[-+]?(\d[\d.]*([eE][-+]?\d+)?|\.\d+|NaN|Inf)([ \t]+\d+)?\s*$",
        "the Prometheus exposition format, which has current values and no history",
    ),
    (r"#\s*hostname[;,]interval[;,]timestamp", "output of sadf -d"),
    (r"Linux \S+ \(.*\)\s", "output of sar, mpstat or iostat"),
    (r"\S+\t\d+\t(\d+|[\d-]+ [\d:]+( UTC)?)\t(-|[a-z]\S*)\t", "output of sadf -p"),
    (r"procs[ -]+memory|\s*r\s+b\s+swpd\s", "output of vmstat"),
    (r"#(datatype|group|default)\b", "annotated CSV of InfluxDB"),
    (r"[^\s,=]+(,[^\s,=]+=[^\s,]+)*[ ][^\s,=]+=[^\s]+([ ]-?\d+)?\s*$", "the line protocol of InfluxDB"),
    (r"---\s*$|[\w-]+:\s", "YAML"),
)
"""Pattern of the first line and name of each format, the most specific patterns first."""

GLANCES_COLUMNS = frozenset({"cpu.total", "cpu_total", "mem.percent", "mem_percent", "load.min1", "load_min1"})
"""Columns in CSV exports of Glances."""

_PATTERNS = tuple((re.compile(pattern, re.IGNORECASE), name) for pattern, name in FORMATS)


def foreign_format(lines: Sequence[str]) -> str:
    """Return a message that names the format of another tool and advises a conversion; empty if none matches.

    Args:
        lines: first lines of the file.
    """
    first = next((line for line in lines if line.strip()), "")
    text = first[:4096]
    if text.lstrip().startswith(("{", "[")):
        # JSON may be written over many lines.
        text = " ".join(line.strip() for line in lines)[:4096]
    for pattern, name in _PATTERNS:
        if pattern.match(text):
            return f"this is {name}: convert it to CSV with columns such as timestamp and cpu_usage, see {GUIDE}"
    return ""


def column_hint(names: Sequence[str]) -> str:
    """Return a suffix for an error message if columns have the names that Glances uses; otherwise an empty text.

    Args:
        names: names of the columns, in lower case.
    """
    if GLANCES_COLUMNS.isdisjoint(names):
        return ""
    return f"; this looks like Glances: use --percent and --map cpu_usage=COLUMN, see {GUIDE}"

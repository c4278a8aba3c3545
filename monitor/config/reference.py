"""The reference of the configuration, docs/reference/configuration.md, made from the sections."""

from __future__ import annotations

import sys
from dataclasses import Field, fields
from typing import Any

from monitor.config.schema import SECTIONS

HEAD = """\
# Configuration

<!-- Made by `make config` from monitor/config/schema.py: change it there. -->

None is needed: every key has a default. The first of these files is used, and no other: the one of `--config`, the
one that `$MONITOR_CONFIG` names, `./config.toml`, `/etc/monitor/config.toml`. A key or section that is not known is
an error that names the nearest known one; `monitor check-config` shows all problems at once, or what is in effect.
[config.toml](../../config.toml) has every key with its default, to start from.

| written | is |
|---|---|
| a duration | a string of numbers with units: `"15s"`, `"5m"`, `"1h30m"`, `"30d"` |
| a ratio | a number from 0 to 1, never percent |
| a rate | bytes per second |

`systemctl reload monitor` (SIGHUP) applies a new configuration as a whole, or not at all: see
[Reload the configuration](../how-to/operate.md#reload-the-configuration). Related keys are checked together:
no horizon is shorter than `sampling.interval`; `training.history` and `storage.retention` are no shorter than
`training.min_history`; the source of each metric in `high_load.rules` is among `sampling.sources`.

`--log-level` and `--log-format` come before what the file says.
"""

COLUMNS = "| key | default | takes | means |\n|---|---|---|---|"


def reference() -> str:
    """The page, as Markdown."""
    parts = [HEAD]
    for name, section in SECTIONS.items():
        rows = "\n".join(_row(one) for one in fields(section))
        parts.append(f"## [{name}]\n\n{COLUMNS}\n{rows}\n")
    return "\n".join(parts)


def _row(option: Field[Any]) -> str:
    known = option.metadata
    default, takes = known["write"](option.default), known["takes"]
    if known["example"] not in ("", default):
        takes += f", e.g. `{known['example']}`"
    cells = (f"`{option.name}`", f"`{default}`", takes, " ".join(known["help"].split()))
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


if __name__ == "__main__":
    sys.stdout.write(reference())

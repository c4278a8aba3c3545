#!/usr/bin/env python3
"""Supply chain: audit of the runtime dependencies, and bill of materials of a release.

python scripts/supply_chain.py audit            # exit 1 if a runtime dependency has a known vulnerability
python scripts/supply_chain.py sbom FILE        # write a CycloneDX document
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from importlib.metadata import PackageNotFoundError, requires
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
LOCK = ROOT / "requirements-dev.lock"
DISTRIBUTION = "monitor-early-warning"

AUDIT_SECONDS = 15
"""Timeout of a request to the vulnerability service, in seconds."""

_PINNED = re.compile(r"^([A-Za-z0-9._-]+)==")


def runtime_names() -> frozenset[str]:
    """Return the names of all packages that the program needs at run time on this platform."""
    names: set[str] = set()
    waiting = [DISTRIBUTION]
    while waiting:
        name = canonicalize_name(waiting.pop())
        if name in names:
            continue
        names.add(name)
        try:
            requirements = [Requirement(text) for text in requires(name) or ()]
        except PackageNotFoundError:
            continue
        waiting += [entry.name for entry in requirements if not entry.marker or entry.marker.evaluate({"extra": ""})]
    return frozenset(names - {DISTRIBUTION})


def runtime_lock(lock: str, names: frozenset[str]) -> str:
    """Return the entries of a lock file, with their hashes, that belong to the given packages."""
    return "".join(entry for name, entry in _entries(lock) if name in names)


def _entries(lock: str) -> Iterator[tuple[str, str]]:
    """Yield the name and the lines of each entry; its continuation lines are indented."""
    name = ""
    lines: list[str] = []
    for line in [*lock.splitlines(keepends=True), "end==0"]:
        match = _PINNED.match(line)
        if match:
            if lines:
                yield name, "".join(lines)
            name = canonicalize_name(match[1])
            lines = []
        lines.append(line)


def vulnerabilities(report: Mapping[str, Any]) -> list[str]:
    """Return one line for each vulnerability in a JSON report of pip-audit."""
    lines = []
    for package in report["dependencies"]:
        for entry in package.get("vulns", ()):
            fixed = ", ".join(entry["fix_versions"]) or "no release"
            lines.append(f"{package['name']} {package['version']}: {entry['id']}, fixed in {fixed}")
    return lines


def audit() -> int:
    """Print the known vulnerabilities of the runtime dependencies; return 1 if there are any, 0 without network."""
    with tempfile.TemporaryDirectory() as directory:
        requirements = Path(directory) / "requirements.txt"
        requirements.write_text(runtime_lock(LOCK.read_text(), runtime_names()))
        done = subprocess.run(
            [
                sys.executable, "-m", "pip_audit", "--requirement", requirements, "--disable-pip", "--no-deps",
                "--format", "json", "--progress-spinner", "off", "--timeout", str(AUDIT_SECONDS),
            ],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
    if "No module named" in done.stderr:
        print("audit: pip-audit is not installed: run scripts/venv --dev", file=sys.stderr)
        return 2
    try:
        report = json.loads(done.stdout)
    except ValueError:
        reason = (done.stderr.strip().splitlines() or ["no output"])[-1]
        print(f"audit: skipped, the vulnerability service did not answer: {reason[:200]}", file=sys.stderr)
        return 0
    problems = vulnerabilities(report)
    print("\n".join(problems) or f"audit: {len(report['dependencies'])} packages, no known vulnerability")
    return 1 if problems else 0


def sbom(target: Path) -> int:
    """Write the bill of materials of the runtime dependencies in CycloneDX JSON; return the exit code of the tool."""
    with tempfile.TemporaryDirectory() as directory:
        requirements = Path(directory) / "requirements.txt"
        requirements.write_text(runtime_lock(LOCK.read_text(), runtime_names()))
        done = subprocess.run(
            [
                sys.executable, "-m", "cyclonedx_py", "requirements", "--pyproject", ROOT / "pyproject.toml",
                "--output-reproducible", "--output-format", "JSON", "--output-file", target, requirements,
            ],
            check=False,
        )  # fmt: skip
    return done.returncode


def main() -> int:
    """Run the command that the arguments name."""
    match sys.argv[1:]:
        case ["audit"]:
            return audit()
        case ["sbom", target]:
            return sbom(Path(target))
    print(__doc__, file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main())

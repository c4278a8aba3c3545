"""Supply chain script: runtime part of the lock file, audit with and without network, bill of materials."""

import json
import runpy
import subprocess
from pathlib import Path

import pytest

pytestmark = pytest.mark.unit

ROOT = Path(__file__).parents[2]
SCRIPT = runpy.run_path(str(ROOT / "scripts" / "supply_chain.py"))
LOCK = (ROOT / "requirements-dev.lock").read_text()

REPORT = {
    "dependencies": [
        {"name": "tornado", "version": "6.0", "vulns": [{"id": "CVE-1", "fix_versions": ["6.1", "7.0"]}]},
        {"name": "numpy", "version": "2.0", "vulns": []},
    ]
}


def test_runtime_lock_has_all_runtime_packages_with_hashes_and_no_others():
    names = SCRIPT["runtime_names"]()
    lock = SCRIPT["runtime_lock"](LOCK, names)
    pinned = {line.partition("==")[0] for line in lock.splitlines() if "==" in line}
    assert pinned >= {"alembic", "bcrypt", "click", "numpy", "psutil", "sqlalchemy", "tornado"}
    assert pinned <= names
    assert not pinned & {"pytest", "mypy", "pip-audit", "hypothesis"}
    assert lock.count("--hash=sha256:") >= len(pinned)


@pytest.mark.parametrize(
    ("output", "code", "shown"),
    [
        (json.dumps(REPORT), 1, "tornado 6.0: CVE-1, fixed in 6.1, 7.0"),
        (json.dumps({"dependencies": REPORT["dependencies"][1:]}), 0, "1 packages, no known vulnerability"),
        ("", 0, "skipped"),
    ],
)
def test_audit_fails_only_on_a_known_vulnerability(monkeypatch, capsys, output, code, shown):
    done = subprocess.CompletedProcess([], code, output, "requests.exceptions.ConnectionError: no route")
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: done)
    assert SCRIPT["audit"]() == code
    captured = capsys.readouterr()
    assert shown in captured.out + captured.err


def test_audit_fails_without_its_tool(monkeypatch):
    missing = subprocess.CompletedProcess([], 1, "", "python: No module named pip_audit")
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: missing)
    assert SCRIPT["audit"]() == 2


def test_bill_of_materials_lists_the_runtime_packages(tmp_path):
    pytest.importorskip("cyclonedx_py")
    assert SCRIPT["sbom"](tmp_path / "sbom.json") == 0
    document = json.loads((tmp_path / "sbom.json").read_text())
    assert (document["bomFormat"], document["metadata"]["component"]["name"]) == (
        "CycloneDX",
        "monitor-early-warning",
    )
    names = {component["name"] for component in document["components"]}
    assert {"numpy", "tornado"} <= names <= SCRIPT["runtime_names"]()
    assert all(component["externalReferences"][0]["hashes"] for component in document["components"])

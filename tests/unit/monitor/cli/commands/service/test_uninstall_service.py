"""`monitor uninstall-service`."""

from pathlib import Path

import pytest

from monitor.cli.exit_codes import ExitCode
from monitor.cli.main import main
from monitor.system.service import installation
from monitor.system.service.installation import Removal

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("removal", "kept"),
    [
        (Removal(Path("/u/monitor.service"), removed=True, kept=("/etc/a", "/var/b")), "/etc/a, /var/b"),
        (Removal(Path("/u/monitor.service"), removed=False, kept=()), "nothing"),
    ],
)
def test_uninstall_prints_the_unit_and_the_kept_paths(monkeypatch, capsys, removal, kept):
    monkeypatch.setattr(installation, "uninstall", lambda _: removal)
    assert main(["uninstall-service"]) == ExitCode.DONE
    unit_line, kept_line = capsys.readouterr().out.splitlines()
    assert str(removal.unit) in unit_line
    assert kept_line.split(maxsplit=1)[1] == kept


def test_uninstall_without_root_fails_in_a_single_line(monkeypatch, capsys, tmp_path):
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    monkeypatch.setattr(installation, "UNITS", tmp_path)
    assert main(["uninstall-service"]) == ExitCode.FAILED
    output, errors = capsys.readouterr()
    assert (output, len(errors.splitlines())) == ("", 1)
    assert "--print" not in errors

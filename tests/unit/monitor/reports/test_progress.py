"""Progress on stderr."""

import pytest

from model.nn.diagnostics.fit_report import Epoch
from monitor.reports import progress
from monitor.reports.progress import ImportProgress, training_progress

pytestmark = pytest.mark.unit

NAN = float("nan")


def show(epochs, validation_loss=0.25):
    with training_progress() as on_epoch:
        for number in range(1, epochs + 1):
            on_epoch(Epoch(number, 0.5, validation_loss, 1.0), epochs)


def test_progress_without_a_terminal_is_about_ten_lines(capsys):
    show(40)
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 10
    assert "0.2500" in lines[0]


def test_progress_has_no_validation_loss_without_validation_rows(capsys):
    show(1, NAN)
    assert "nan" not in capsys.readouterr().err


def test_progress_is_silent_with_json_logs(capsys, monkeypatch):
    monkeypatch.setattr(progress, "logs_are_json", lambda: True)
    show(5)
    assert capsys.readouterr().err == ""


def test_import_progress_is_about_ten_lines(capsys):
    shown = ImportProgress()
    for part in range(1, 101):
        shown.show(part / 100)
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 10
    assert "100%" in lines[-1]

"""Tests of monitor.operator_input."""

import pytest

from monitor.operator_input import MAX_NOTE, checked_note, new_window
from monitor.system.formatting import LATEST
from storage import MaintenanceWindow

pytestmark = pytest.mark.unit

NOW = 1_800_000_000.0


def test_note_is_stored_on_one_line():
    assert checked_note("  disk\r\n full\t again ") == "disk full again"


def test_note_keeps_markup_and_other_scripts():
    assert checked_note("<b>Überlast</b> & 重い") == "<b>Überlast</b> & 重い"


@pytest.mark.parametrize("text", ["x" * (MAX_NOTE + 1), "a\x1b[31m", "a\u202eb", "a\x00"])
def test_note_refuses_long_text_and_control_characters(text):
    with pytest.raises(ValueError, match="the note has"):
        checked_note(text)


def test_window_starts_now_by_default():
    assert new_window(NOW, None, None, 60.0, "why") == MaintenanceWindow(NOW, NOW + 60, "why")


def test_window_takes_a_start_and_an_end():
    assert new_window(NOW, NOW - 60, NOW + 60, None, "") == MaintenanceWindow(NOW - 60, NOW + 60, "")


@pytest.mark.parametrize(
    ("start", "end", "duration"),
    [
        (None, None, None),
        (None, NOW + 60, 60.0),
        (NOW + 60, NOW + 60, None),
        (NOW - 120, NOW - 60, None),
        (NOW, LATEST + 1, None),
        (None, float("nan"), None),
    ],
)
def test_window_refuses_an_invalid_period(start, end, duration):
    with pytest.raises(ValueError, match="maintenance window"):
        new_window(NOW, start, end, duration, "")

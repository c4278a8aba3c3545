"""Access to procfs."""

import pytest

from monitor.sampling.sources.procfs import read_proc

pytestmark = pytest.mark.unit


def test_read_proc_returns_the_current_content(proc):
    for text in ("0.5 0.1 0.1\n", "12.25 1.0 0.4\n"):
        (proc / "loadavg").write_text(text)
        assert read_proc("loadavg") == text


def test_read_proc_fails_for_missing_file(proc):
    with pytest.raises(FileNotFoundError):
        read_proc("absent")

"""`monitor doctor`."""

import pytest

from monitor.cli.exit_codes import ExitCode

pytestmark = pytest.mark.unit


def test_invalid_configuration_is_a_failed_check(run):
    run.config.write_text("[gate]\nmargn = 1\n")
    result = run("doctor", "--json")
    assert result.code == ExitCode.FAILED
    assert "margn" in result.output
    assert result.errors == ""

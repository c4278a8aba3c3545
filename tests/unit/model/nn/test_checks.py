"""Tests of `model.nn.checks`."""

import pytest

from model.nn.checks import require_setting

pytestmark = pytest.mark.unit


def test_require_setting_names_setting_condition_and_value():
    require_setting(True, "momentum", 0.9, "at least 0 and below 1")
    with pytest.raises(ValueError, match=r"^momentum must be at least 0 and below 1, not 1\.5$"):
        require_setting(False, "momentum", 1.5, "at least 0 and below 1")

"""Setting check: uniform error message for invalid constructor arguments."""

from __future__ import annotations


def require_setting(valid: bool, name: str, value: object, condition: str) -> None:
    """Raise ValueError with the name and the value of a setting if the value is invalid.

    Args:
        valid: True if `value` satisfies `condition`.
        name: name of the setting, e.g. "momentum".
        value: value of the setting.
        condition: description of the valid values, e.g. "at least 0 and below 1".
    """
    if not valid:
        raise ValueError(f"{name} must be {condition}, not {value!r}")

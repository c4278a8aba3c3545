"""Exit codes of errors."""

from importlib import import_module

import pytest

from model.errors import SerializationError
from monitor.cli.exit_codes import EXIT_CODES, ExitCode, exit_code_of
from monitor.errors import ConfigError, LockedError, MonitorError, NotEnoughDataError, RefusedError
from storage import SchemaTooNewError

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (MonitorError("x"), 1),
        (ConfigError(["x"]), 2),
        (RefusedError("x"), 3),
        (NotEnoughDataError("x"), 4),
        (LockedError("x"), 5),
        (SchemaTooNewError("x"), 1),
        (SerializationError("x"), 1),
        (PermissionError("x"), 1),
    ],
)
def test_exit_code_is_that_of_the_nearest_class(error, code):
    assert exit_code_of(error) == code


@pytest.mark.parametrize("error", [KeyError("x"), ValueError("x"), RuntimeError("x")])
def test_unexpected_error_has_no_exit_code(error):
    assert exit_code_of(error) is None


def test_table_names_existing_classes():
    for name in EXIT_CODES:
        module, _, attribute = name.rpartition(".")
        error_class = getattr(import_module(module), attribute)
        assert f"{error_class.__module__}.{error_class.__qualname__}" == name


def test_exit_codes_are_those_of_the_contract():
    assert [code.value for code in ExitCode] == [0, 1, 2, 3, 4, 5, 130]

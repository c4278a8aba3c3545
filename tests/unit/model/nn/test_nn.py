"""Tests of the public API of `model.nn`."""

import importlib
import subprocess
import sys

import pytest

import model.nn

pytestmark = pytest.mark.unit


def test_every_public_name_can_be_imported():
    assert len(set(model.nn.__all__)) == len(model.nn.__all__)
    for name in model.nn.__all__:
        assert getattr(model.nn, name) is not None
        assert name in dir(model.nn)


def test_public_names_are_those_of_the_lazy_table():
    assert set(model.nn._MODULES) == set(model.nn.__all__)
    for name, module in model.nn._MODULES.items():
        assert getattr(importlib.import_module(module), name) is getattr(model.nn, name)


def test_unknown_name_raises_attribute_error():
    with pytest.raises(AttributeError, match="swish"):
        model.nn.swish  # noqa: B018


def test_importing_the_package_loads_no_training_module():
    code = "import sys, model.nn; print([name for name in sys.modules if name.startswith('model.nn.')])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"

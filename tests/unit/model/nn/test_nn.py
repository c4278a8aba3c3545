"""Tests of the public API of `model.nn`."""

import ast
import importlib
import inspect
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


def test_public_name_is_the_object_that_type_checkers_import():
    """Compare the names with the imports under TYPE_CHECKING, which state the defining modules."""
    imports = [node for node in ast.walk(ast.parse(inspect.getsource(model.nn))) if isinstance(node, ast.ImportFrom)]
    modules = {alias.name: node.module for node in imports for alias in node.names if "nn" in node.module.split(".")}
    assert set(modules) == set(model.nn.__all__)
    for name, module in modules.items():
        assert getattr(model.nn, name) is getattr(importlib.import_module(module), name)


def test_unknown_name_raises_attribute_error():
    with pytest.raises(AttributeError, match="swish"):
        model.nn.swish  # noqa: B018


@pytest.mark.parametrize(
    ("statement", "loaded"), [("import model.nn", set()), ("from model.nn import Network, load_network", {"network"})]
)
def test_import_for_prediction_loads_no_training_module(statement, loaded):
    code = f"{statement}; import sys; print(*[name for name in sys.modules if name.startswith('model.nn.')])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    modules = {name.removeprefix("model.nn.") for name in done.stdout.split()}
    assert modules >= loaded
    assert modules.isdisjoint({"training", "optimizers", "checkpoint", "fit_config", "data", "losses"})

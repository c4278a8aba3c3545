"""Layout of the source tree: size of files and packages, complexity, and the mirror of unit tests."""

import ast
from pathlib import Path

import pytest

pytestmark = pytest.mark.unit

ROOT = Path(__file__).parents[2]
PACKAGES = ("model", "monitor", "storage")
SOURCES = sorted(path for name in PACKAGES for path in (ROOT / name).rglob("*.py"))
SCRIPTS = sorted(path for name in ("benchmarks", "scripts") for path in (ROOT / name).rglob("*.py"))
UNIT_TESTS = sorted(path for name in PACKAGES for path in (ROOT / "tests" / "unit" / name).rglob("test_*.py"))
GENERATED = {"test_schemas.py"}
"""Tests of generated files."""

BRANCHES = (ast.If, ast.IfExp, ast.For, ast.AsyncFor, ast.While, ast.ExceptHandler, ast.match_case)


def name_of(path):
    return str(path.relative_to(ROOT))


def functions(path):
    """Yield the functions of a module."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def complexity(function):
    """Return the number of branches plus one, conditional expressions included and nested functions excluded."""
    count = 1
    pending = list(ast.iter_child_nodes(function))
    while pending:
        node = pending.pop()
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            continue
        count += isinstance(node, BRANCHES)
        pending.extend(ast.iter_child_nodes(node))
    return count


def test_module_has_at_most_250_lines():
    assert [name_of(path) for path in SOURCES + SCRIPTS if len(path.read_text().splitlines()) > 250] == []


def test_function_complexity_is_at_most_10():
    measured = [(name_of(path), f.name, complexity(f)) for path in SOURCES + SCRIPTS for f in functions(path)]
    assert [function for function in measured if function[2] > 10] == []


def test_package_has_at_most_15_modules_three_levels_below_its_root():
    directories = {path.parent for path in SOURCES if "versions" not in path.parts}
    assert {str(d) for d in directories if len(list(d.glob("*.py"))) > 15} == set()
    assert {str(d) for d in directories if len(d.relative_to(ROOT).parts) > 4} == set()


def mirrors_a_module(path):
    """Return True for `test_<module>.py`, `test_<module>_<aspect>.py`, or `test_<package>.py` within a package."""
    package = ROOT / path.parent.relative_to(ROOT / "tests" / "unit")
    words = path.stem.removeprefix("test_").split("_")
    prefixes = ["_".join(words[:count]) for count in range(1, len(words) + 1)]
    return package.name in prefixes or any((package / f"{prefix}.py").exists() for prefix in prefixes)


def test_unit_test_mirrors_a_module():
    tests = [path for path in UNIT_TESTS if path.name not in GENERATED]
    assert [name_of(path) for path in tests if not mirrors_a_module(path)] == []

"""Fault injection: every case of the table, on the real daemon."""

import pytest

from tests.faults.table import all_cases


def parameter(case):
    """Return the case as a parameter with its markers."""
    marks = [pytest.mark.faults_long if case.long else pytest.mark.faults]
    if case.xfail:
        marks.append(pytest.mark.xfail(strict=True, reason=case.xfail))
    return pytest.param(case, id=case.name, marks=marks)


@pytest.mark.parametrize("case", [parameter(case) for case in all_cases()])
def test_promise_holds(case, lab, record_property):
    recovery = case.check(lab)
    assert recovery is None or recovery <= case.bound
    record_property("fault", case.name)
    record_property("recovery", None if recovery is None else round(recovery, 1))

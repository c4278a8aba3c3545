"""Tests of the checks of the file system."""

import pytest

from monitor.doctor.checks.disk import assess_file_system, assess_inodes, assess_space
from monitor.documents.doctor import CheckStatus

pytestmark = pytest.mark.unit

GIB = 2**30


@pytest.mark.parametrize(
    ("free", "growth", "status"),
    [
        (10 * GIB, GIB, CheckStatus.OK),
        (GIB, 2 * GIB, CheckStatus.WARNING),
        (2**20, 0, CheckStatus.FAILED),
    ],
)
def test_space_is_compared_with_the_growth_to_come(free, growth, status):
    assert assess_space(free, growth, 290.0).status is status


@pytest.mark.parametrize(
    ("free", "total", "status"),
    [(1000, 2000, CheckStatus.OK), (3, 2000, CheckStatus.FAILED), (0, 0, CheckStatus.SKIPPED)],
)
def test_inodes_are_skipped_where_their_number_is_not_fixed(free, total, status):
    assert assess_inodes(free, total).status is status


@pytest.mark.parametrize(
    ("kind", "status"),
    [
        ("ext4", CheckStatus.OK),
        ("xfs", CheckStatus.OK),
        ("nfs4", CheckStatus.WARNING),
        ("tmpfs", CheckStatus.WARNING),
        ("overlay", CheckStatus.WARNING),
    ],
)
def test_network_and_volatile_file_systems_are_a_warning(kind, status):
    assert assess_file_system("/srv", kind).status is status

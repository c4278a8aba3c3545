"""Documents of maintenance windows."""

import pytest

from monitor.documents.anomalies import maintenance_document
from storage import MaintenanceWindow
from tests.unit.monitor.conftest import NOW

pytestmark = pytest.mark.unit


def test_maintenance_document_has_every_field_of_the_record():
    document = maintenance_document(MaintenanceWindow(NOW, NOW + 60, "disks", 2))
    assert (document.id, document.starts_at, document.ends_at, document.note) == (2, NOW, NOW + 60, "disks")

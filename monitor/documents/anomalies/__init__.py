"""Event documents: JSON form of anomaly events, their context, and maintenance windows."""

from monitor.documents.anomalies.details import (
    AnomalyDetailsDocument,
    CurvesDocument,
    ExpectationDocument,
    MetricCurveDocument,
    MetricValueDocument,
    SimilarEventDocument,
    anomaly_details_document,
)
from monitor.documents.anomalies.events import (
    RECENT,
    AnomalyCountDocument,
    AnomalyDocument,
    anomaly_count_document,
    anomaly_document,
)
from monitor.documents.anomalies.maintenance import (
    MaintenanceDocument,
    MaintenanceEndDocument,
    maintenance_document,
)
from monitor.documents.anomalies.processes import (
    ProcessDocument,
    ProcessSnapshotDocument,
    WarningDocument,
    warning_document,
)

__all__ = [
    "RECENT",
    "AnomalyCountDocument",
    "AnomalyDetailsDocument",
    "AnomalyDocument",
    "CurvesDocument",
    "ExpectationDocument",
    "MaintenanceDocument",
    "MaintenanceEndDocument",
    "MetricCurveDocument",
    "MetricValueDocument",
    "ProcessDocument",
    "ProcessSnapshotDocument",
    "SimilarEventDocument",
    "WarningDocument",
    "anomaly_count_document",
    "anomaly_details_document",
    "anomaly_document",
    "maintenance_document",
    "warning_document",
]

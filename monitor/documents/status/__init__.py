"""Status documents: state of daemon and model."""

from monitor.documents.status.document import StatusDocument, daemon_status_document, status_document
from monitor.documents.status.parts import DetectionStatus, HistoryCoverage, RetrainStatus

__all__ = [
    "DetectionStatus",
    "HistoryCoverage",
    "RetrainStatus",
    "StatusDocument",
    "daemon_status_document",
    "status_document",
]

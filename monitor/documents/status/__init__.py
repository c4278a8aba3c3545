"""Status documents: state of daemon and model."""

from monitor.documents.status.document import StatusDocument, daemon_status_document, status_document
from monitor.documents.status.parts import (
    ChannelStatus,
    DetectionStatus,
    HistoryCoverage,
    RetrainStatus,
    channel_problem,
)

__all__ = [
    "ChannelStatus",
    "DetectionStatus",
    "HistoryCoverage",
    "RetrainStatus",
    "StatusDocument",
    "channel_problem",
    "daemon_status_document",
    "status_document",
]

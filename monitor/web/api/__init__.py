"""JSON API: documents by path, their readers and the parameters of requests."""

from monitor.web.api.api import ANOMALIES_PATH, MAINTENANCE_PATH, Api
from monitor.web.api.parameters import ApiError
from monitor.web.api.stored_documents import StoredDocuments

__all__ = ["ANOMALIES_PATH", "MAINTENANCE_PATH", "Api", "ApiError", "StoredDocuments"]

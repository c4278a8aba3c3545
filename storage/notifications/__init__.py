"""Notifications: queue of messages to the channels of the operator, and incidents in progress."""

from storage.notifications.records import Notification, NotificationStatus, NotifiedIncident
from storage.notifications.repository import NotificationRepository

__all__ = ["Notification", "NotificationRepository", "NotificationStatus", "NotifiedIncident"]

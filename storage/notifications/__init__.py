"""Notifications: queue of messages to the channels of the operator, and incidents in progress."""

from storage.notifications.records import ChannelHealth, Notification, NotificationStatus, NotifiedIncident
from storage.notifications.repository import NotificationRepository

__all__ = ["ChannelHealth", "Notification", "NotificationRepository", "NotificationStatus", "NotifiedIncident"]

"""Alembic revisions, one file each.

A released revision never changes: existing databases were created by it.
"""

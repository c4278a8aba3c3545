"""Alembic revisions: one file per revision; a released revision never changes."""

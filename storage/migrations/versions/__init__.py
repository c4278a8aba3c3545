<<<<<<< HEAD
"""Alembic revisions, one file each.

A released revision never changes: existing databases were created by it.
"""
=======
"""Alembic revisions, one file each; a released revision never changes."""
>>>>>>> main

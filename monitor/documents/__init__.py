"""Typed documents: the only source of JSON."""

"""Typed documents: the only source of JSON, reports and the page."""

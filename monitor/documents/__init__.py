"""Typed documents: common input of JSON output, reports and the page."""

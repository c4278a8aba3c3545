"""Execution of array operations: immediate, or recorded in a compiled training step."""

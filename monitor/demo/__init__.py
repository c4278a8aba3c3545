"""Demonstration: the daemon's code on a bundled trace, in compressed time."""

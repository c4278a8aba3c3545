"""What tells that a host behaves as it never does: evidence, its tail, and alarms at a known rate."""

"""Measurements of speed, cost and quality, side by side with the peers."""

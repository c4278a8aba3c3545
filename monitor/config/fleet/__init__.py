"""Sections of a fleet: source of the samples, metrics, training and shards."""

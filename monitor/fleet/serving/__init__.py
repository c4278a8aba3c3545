"""Serving of a fleet: metrics, JSON API and page of the fleet process."""

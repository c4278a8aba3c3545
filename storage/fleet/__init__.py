"""Fleet storage: hosts, newest predictions, warnings and hourly score totals of one fleet process."""

from storage.fleet.records import FleetChange, FleetHost, FleetScore, FleetWarning, HostPrediction
from storage.fleet.repository import FleetRepository

__all__ = ["FleetChange", "FleetHost", "FleetRepository", "FleetScore", "FleetWarning", "HostPrediction"]

"""Fleet: predictions for every host of a time series database, by one process.

Nothing of this package is imported by the daemon of a single host.
"""

"""The world: host, time, processes, HTTP and the admin commands."""

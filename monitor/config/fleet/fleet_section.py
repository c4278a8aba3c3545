"""Section [fleet] of config.toml: metrics, training and shards of many hosts."""

from __future__ import annotations

from dataclasses import dataclass

from monitor.config.notify.secret_options import file_name
from monitor.config.options import boolean, duration, integer, string


@dataclass(frozen=True)
class FleetSection:
    """Section [fleet]: hosts of a source of many hosts."""

    top_hosts: int = integer(
        0, "Number of hosts with metrics of their own, those with the highest probability; 0 for every host."
    )
    expire_after: float = duration(
        3600.0, "Time without values after which a host is no longer followed.", minimum=60.0
    )
    remote_write_url: str = string(
        "",
        "URL of a remote write endpoint, such as http://prometheus:9090/api/v1/write: the hosts' metrics are sent "
        "to it after each step. It needs the extra `fleet`.",
        pattern=r"(https?://[^\s@]+)?",
        example="http://127.0.0.1:9090/api/v1/write",
        default_text="none",
    )
    remote_write_http_config_file: str = file_name(
        "File with credentials, TLS and proxy of remote_write_url, in the format of source.http_config_file."
    )
    executor: str = string(
        "local",
        "Where networks are trained: local for processes of this host, or the scheduler of a Dask cluster.",
        pattern=r"local|dask://(\[[0-9a-fA-F:.]+\]|[\w.-]+):\d{1,5}",
        example="dask://scheduler:8786",
    )
    workers: int = integer(0, "Number of local training processes; 0 for one per CPU.")
    shards: int = integer(1, "Number of fleet processes that share the hosts.", minimum=1)
    shard: int = integer(
        0,
        "Number of this process among them, from 0. A host belongs to the shard that hashmod of Prometheus computes.",
    )

    high_availability: bool = boolean(
        False,
        "Wait on standby while another process with the same storage.url, storage.host and shard acts, and take over "
        "when it ends. Needs PostgreSQL.",
    )

    def problems(self) -> list[str]:
        """Return one line for each invalid combination of keys, which starts with the key."""
        if self.shard < self.shards:
            return []
        return [f"fleet.shard: must be below fleet.shards ({self.shards}), not {self.shard}"]

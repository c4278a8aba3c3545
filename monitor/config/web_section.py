"""Configuration section [web]: HTTP server."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass

from monitor.config.list_options import strings
from monitor.config.options import boolean, string


@dataclass(frozen=True)
class WebSection:
    """Section [web]: HTTP server."""

    listen: str = string(
        "127.0.0.1:10190",
        "Address and port of the HTTP server; the default accepts connections from this host only.",
        pattern=r"(\[[0-9a-fA-F:]+\]|[^:\s]+):\d{1,5}",
        example="127.0.0.1:10190",
    )
    host_metrics: bool = boolean(True, "Expose the host metrics (monitor_host_*).")
    config_file: str = string(
        "",
        "File with TLS, client certificate and user settings: a web.config.yml in the format of Prometheus "
        "(docs/reference/http.md). A relative path starts at the directory of this file.",
        default_text="none",
    )
    allowed_hosts: tuple[str, ...] = strings(
        (),
        "Additional host names for requests to the page and the API, as shell patterns. The names of this "
        "host, localhost and IP addresses are always allowed; metrics and probes accept any name.",
        example=("*.example.org",),
    )
    lifecycle: bool = boolean(False, "Reload the configuration on POST /-/reload, as on SIGHUP.")
    actions: bool = boolean(
        False,
        "Record verdicts, notes and maintenance windows by page and API; needs users if other hosts can connect.",
    )

    @property
    def address(self) -> tuple[str, int]:
        """Return host (an IPv6 address without its brackets) and port."""
        host, _, port = self.listen.rpartition(":")
        return host.strip("[]"), int(port)

    @property
    def listens_locally(self) -> bool:
        """Return True if only this host can connect: the address is a loopback address or localhost."""
        return is_loopback(self.address[0])


def is_loopback(host: str) -> bool:
    """Return True if a host is a loopback address or localhost."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"

"""HTTP settings: headers, proxy, certificates and timeout of a client."""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from monitor.errors import MonitorError


@dataclass(frozen=True)
class HttpSettings:
    """Settings of the connections to one server.

    Attributes:
        headers: additional headers of each request; may contain secrets.
        proxy_url: proxy of all requests; empty to use the variables http_proxy, https_proxy and no_proxy.
        ca_file: certificate authorities of the server; empty for those of the system.
        cert_file: client certificate; empty for none.
        key_file: key of the client certificate; empty if `cert_file` contains it.
        server_name: name that the certificate of the server must have; empty for the host name of the URL.
        insecure_skip_verify: True accepts any certificate.
        timeout: seconds to wait for an answer.
    """

    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    proxy_url: str = field(default="", repr=False)
    ca_file: str = ""
    cert_file: str = ""
    key_file: str = ""
    server_name: str = ""
    insecure_skip_verify: bool = False
    timeout: float = 120.0


def tls_context(settings: HttpSettings) -> ssl.SSLContext:
    """Return the TLS context of the settings; raise MonitorError if a certificate or a key cannot be loaded."""
    context = _NamedContext(ssl.PROTOCOL_TLS_CLIENT)
    context.server_name = settings.server_name
    try:
        if settings.ca_file:
            context.load_verify_locations(settings.ca_file)
        else:
            context.load_default_certs()
        if settings.cert_file:
            context.load_cert_chain(settings.cert_file, settings.key_file or None, password=_no_password)
    except (OSError, ValueError) as error:
        names = " or ".join(filter(None, (settings.ca_file, settings.cert_file, settings.key_file)))
        raise MonitorError(f"{names}: cannot be loaded: {getattr(error, 'strerror', None) or error}") from error
    if settings.insecure_skip_verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def _no_password() -> str:
    """Refuse an encrypted key, for which OpenSSL would ask on the terminal."""
    raise ValueError("the key is encrypted")


class _NamedContext(ssl.SSLContext):
    """TLS context that verifies the certificate for `server_name` instead of the host name of the URL."""

    server_name = ""

    def wrap_socket(self, *arguments: Any, **options: Any) -> ssl.SSLSocket:
        if self.server_name:
            options["server_hostname"] = self.server_name
        return super().wrap_socket(*arguments, **options)

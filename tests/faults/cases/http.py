"""Hostile HTTP and TLS."""

import os
import resource
import time
from contextlib import suppress

import trustme

from tests.faults.injectors import clients, process
from tests.faults.scenarios import due
from tests.faults.table import case

SERVED = "a scrape is answered meanwhile, sampling continues, memory and descriptors stay bounded"
MAX_GROWTH = 60 * 2**20
"""Largest growth of the resident memory in bytes."""


def assert_serves_during(daemon, attack):
    """Run an attack, and assert that the daemon serves, samples and does not grow."""
    pid = daemon.process.pid
    memory = process.resident_memory(pid)
    taken = daemon.metric("samples_total")
    started = time.monotonic()
    attack()
    assert daemon.metric("samples_total") - taken >= due(daemon, started)
    assert daemon.healthy()
    assert process.resident_memory(pid) - memory < MAX_GROWTH
    daemon.assert_stops()


@case("400 connections that send nothing", "open for 8 s", 9, SERVED)
def silent_connections(lab):
    daemon = lab.daemon().start()

    def attack():
        with clients.held_open(daemon.port, 400):
            daemon.wait(lambda: daemon.get("/metrics")[0] == 200)
            time.sleep(8)
            assert daemon.healthy()

    assert_serves_during(daemon, attack)


@case("400 requests that never end", "one header line each, a byte every second for 8 s", 9, SERVED)
def slow_requests(lab):
    daemon = lab.daemon().start()

    def attack():
        with clients.held_open(daemon.port, 400, b"GET /metrics HTTP/1.1\r\nX-A: ") as sockets:
            for _ in range(8):
                for client in sockets:
                    with suppress(OSError):
                        client.send(b"a")
                time.sleep(1)
                daemon.wait(daemon.healthy)

    assert_serves_during(daemon, attack)


@case("400 clients that never read", "a request for /metrics each, nothing received", 9, SERVED)
def clients_that_never_read(lab):
    daemon = lab.daemon().start()

    def attack():
        with clients.held_open(daemon.port, 400, b"GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n" * 4):
            time.sleep(3)
            daemon.wait(daemon.healthy)

    assert_serves_during(daemon, attack)


@case("300 scrapes at once", "threads of one client process", 9, SERVED)
def many_scrapes(lab):
    daemon = lab.daemon().start()

    def attack():
        codes = clients.in_parallel(lambda: daemon.get("/metrics", timeout=30)[0], 300)
        # Refused connections and 503 are answers under load; anything else is an error.
        assert set(codes) <= {200, 503, 0}
        assert codes.count(200) >= 10

    assert_serves_during(daemon, attack)


@case("malformed requests", "random bytes, wrong methods, paths, versions, lengths and encodings", 9, SERVED)
def malformed_requests(lab):
    daemon = lab.daemon().start()
    host = b"Host: localhost\r\n"
    requests = (
        os.urandom(4096),
        b"\0" * 1000 + b"\r\n\r\n",
        b"GET\r\n\r\n",
        b"GET /metrics HTTP/9.9\r\n" + host + b"\r\n",
        b"GET /metrics HTTP/1.1\r\n\r\n",
        b"BREW / HTTP/1.1\r\n" + host + b"\r\n",
        b"POST /metrics HTTP/1.1\r\n" + host + b"Content-Length: 99999999999999999999\r\n\r\n",
        b"POST /metrics HTTP/1.1\r\n" + host + b"Content-Length: -1\r\n\r\n",
        b"POST /metrics HTTP/1.1\r\n" + host + b"Transfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n",
        b"GET /metrics HTTP/1.1\r\n" + host + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\n",
        b"GET /" + b"a" * 100_000 + b" HTTP/1.1\r\n" + host + b"\r\n",
        b"GET / HTTP/1.1\r\n" + host + b"X: " + b"b" * 200_000 + b"\r\n\r\n",
        b"GET / HTTP/1.1\r\n" + host + b"X: y\r\n" * 20_000 + b"\r\n",
        b"GET /../../etc/passwd HTTP/1.1\r\n" + host + b"\r\n",
        b"GET /api/v1/status?" + b"x=1&" * 10_000 + b" HTTP/1.1\r\n" + host + b"\r\n",
        b"GET http://evil/ HTTP/1.1\r\nHost: evil\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + os.urandom(200),
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    )

    def attack():
        for request in requests * 3:
            answer = clients.send(daemon.port, request, timeout=2)
            assert b"Traceback" not in answer
            assert not answer.startswith(b"HTTP/1.1 5"), answer[:100]
            assert b"root:" not in answer

    assert_serves_during(daemon, attack)
    assert "Traceback" not in daemon.log()


@case("connections reset at once", "1000 connections closed with SO_LINGER 0", 9, SERVED)
def reset_connections(lab):
    daemon = lab.daemon().start()

    def attack():
        for _ in range(1000):
            clients.reset(daemon.port, b"GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n")

    descriptors = process.open_descriptors(daemon.process.pid)
    attack()
    daemon.wait(lambda: process.open_descriptors(daemon.process.pid) <= descriptors + 5)
    assert_serves_during(daemon, lambda: None)


@case("requests in a pipeline", "2000 requests on one connection without reading", 9, SERVED)
def pipelined_requests(lab):
    daemon = lab.daemon().start()

    def attack():
        request = b"GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n" * 2000
        with clients.held_open(daemon.port, 1) as (client,):
            client.settimeout(2)
            with suppress(OSError):
                client.sendall(request)
            daemon.wait(daemon.healthy)

    assert_serves_during(daemon, attack)


@case("expensive pages at once", "100 page views and JSON documents in parallel", 9, SERVED)
def expensive_pages(lab):
    daemon = lab.daemon().start()

    def attack():
        for path in ("/", "/api/v1/status", "/api/v1/history?since=100000d", "/?since=99999d"):
            codes = clients.in_parallel(lambda path=path: daemon.get(path, timeout=30)[0], 25)
            assert set(codes) <= {200, 400, 404, 429, 503, 0}

    assert_serves_during(daemon, attack)


def tls_daemon(lab):
    """Start a daemon with TLS, and return it; its `get` uses HTTP and fails, `tls_get` works."""
    authority = trustme.CA()
    certificate = authority.issue_cert("127.0.0.1", "localhost")
    daemon = lab.daemon()
    certificate.private_key_pem.write_to_path(daemon.directory / "key.pem")
    certificate.cert_chain_pems[0].write_to_path(daemon.directory / "cert.pem")
    (daemon.directory / "key.pem").chmod(0o600)
    web = daemon.directory / "web.yml"
    web.write_text("tls_server_config:\n  cert_file: cert.pem\n  key_file: key.pem\n")
    text = daemon.config.read_text().replace("[web]\n", f'[web]\nconfig_file = "{web}"\n')
    daemon.config.write_text(text)
    daemon.use_tls(clients.tls_context())
    return daemon.start()


@case("TLS clients that never shake hands", "300 silent connections for 6 s", 9, SERVED)
def silent_tls_clients(lab):
    daemon = tls_daemon(lab)

    def attack():
        with clients.held_open(daemon.port, 300):
            time.sleep(3)
            daemon.wait(daemon.healthy)
            time.sleep(3)

    assert_serves_during(daemon, attack)


@case("garbage to a TLS port", "plain HTTP, random bytes, cut handshakes, 100 of each", 9, SERVED)
def garbage_to_tls(lab):
    daemon = tls_daemon(lab)

    def attack():
        for number in range(100):
            clients.send(daemon.port, b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n", answer=False)
            clients.send(daemon.port, os.urandom(500), answer=False)
            clients.send(daemon.port, b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"[: number % 11], answer=False)

    assert_serves_during(daemon, attack)
    assert "Traceback" not in daemon.log()


@case(
    "TLS key damaged",
    "file replaced by garbage, SIGHUP",
    8,
    "the former certificate serves",
)
def certificate_damaged(lab):
    daemon = tls_daemon(lab)
    (daemon.directory / "key.pem").write_text("garbage")
    daemon.process.send_signal(1)
    daemon.wait(lambda: daemon.metric("config_last_reload_successful", 1) == 0)
    assert daemon.healthy()
    assert_serves_during(daemon, lambda: None)


@case("scrapes without free descriptors", "RLIMIT_NOFILE at the open ones, 50 connections held", 9, SERVED)
def descriptors_used_by_clients(lab):
    daemon = lab.daemon().start()
    pid = daemon.process.pid
    limit = process.highest_descriptor(pid) + 20
    with process.limited(pid, resource.RLIMIT_NOFILE, limit), clients.held_open(daemon.port, 50):
        daemon.wait(daemon.healthy)
        daemon.wait_sampled(10)
    recovery = daemon.wait_stored(1)
    daemon.assert_stops()
    return recovery

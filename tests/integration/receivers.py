"""Receivers of notifications on this machine: an HTTP server and an SMTP server."""

import base64
import http.server
import json
import socketserver
import ssl
import threading
import time
from email import message_from_bytes, policy


class HttpReceiver:
    """HTTP server that records requests, and answers as `answers` says; then with `status`.

    An answer is a status, a pair of status and headers, "close" to close the connection, "drip" to send an endless
    header slowly, or "hang" not to answer before `release` is set.
    """

    def __init__(self):
        self.answers = []
        self.status = 200
        self.requests = []
        self.release = threading.Event()
        receiver = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                receiver.requests.append((self.path, dict(self.headers), json.loads(body)))
                receiver.answer(self, receiver.answers.pop(0) if receiver.answers else receiver.status)

            def log_message(self, *_):
                pass

        class Server(http.server.ThreadingHTTPServer):
            def handle_error(self, *_):
                """Ignore clients that were killed."""

        self._server = Server(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))

    def answer(self, handler, answer):
        if answer == "hang":
            self.release.wait(60)
        elif answer == "drip":
            handler.wfile.write(b"HTTP/1.1 200 OK\r\nX-Slow: ")
            while not self.release.wait(0.2):
                handler.wfile.write(b"x")
        elif answer != "close":
            status, headers = answer if isinstance(answer, tuple) else (answer, {})
            handler.send_response(status)
            for name, value in headers.items():
                handler.send_header(name, value)
            handler.end_headers()

    @property
    def keys(self):
        """Return the idempotency keys in the bodies of the requests."""
        return [body["key"] for _, _, body in self.requests]

    @property
    def changes(self):
        return [body["change"] for _, _, body in self.requests]

    def wait_for(self, count, seconds=20):
        end = time.monotonic() + seconds
        while len(self.requests) < count:
            assert time.monotonic() < end, self.keys
            time.sleep(0.02)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self.release.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class SmtpHandler(socketserver.StreamRequestHandler):
    """Session of an SMTP client."""

    def setup(self):
        self.receiver = self.server.receiver
        self.encrypted = self.receiver.implicit_tls
        if self.encrypted:
            self.request = self.receiver.context.wrap_socket(self.request, server_side=True)
        super().setup()

    def finish(self):
        super().finish()
        self.request.close()

    def reply(self, text):
        self.wfile.write(f"{text}\r\n".encode())

    def handle(self):
        self.recipients = []
        self.reply("220 ready")
        while line := self.rfile.readline().decode(errors="replace").strip():
            command = getattr(self, f"do_{line.split(maxsplit=1)[0].lower()}", None)
            if command is None:
                return
            command(line)

    def do_ehlo(self, _):
        starttls = "250-STARTTLS\r\n" if self.receiver.context and not self.encrypted else ""
        self.reply(f"250-receiver\r\n{starttls}250 AUTH PLAIN")

    def do_starttls(self, _):
        self.reply("220 go ahead")
        super().finish()
        self.encrypted = True
        self.request = self.receiver.context.wrap_socket(self.request, server_side=True)
        super().setup()

    def do_auth(self, line):
        _, user, password = base64.b64decode(line.split()[2]).decode().split("\0")
        self.receiver.logins.append((user, password, self.encrypted))
        self.reply("235 welcome" if (user, password) == self.receiver.login else "535 no")

    def do_mail(self, _):
        self.reply("250 ok")

    def do_rcpt(self, line):
        address = line.partition("<")[2].partition(">")[0]
        if address in self.receiver.refused:
            self.reply("550 no such user")
        else:
            self.recipients.append(address)
            self.reply("250 ok")

    def do_data(self, _):
        self.reply("354 go ahead")
        lines = iter(self.rfile.readline, b".\r\n")
        self.receiver.envelopes.append(self.recipients)
        self.receiver.mails.append(message_from_bytes(b"".join(lines), policy=policy.default))
        self.reply("250 queued")

    def do_rset(self, _):
        self.reply("250 ok")

    def do_quit(self, _):
        self.reply("221 bye")


class SmtpServer(socketserver.ThreadingTCPServer):
    """Server of the sessions; the main thread waits for them at its end."""

    def handle_error(self, *_):
        """Ignore clients that reject the certificate."""


class SmtpReceiver:
    """SMTP server that records mails; with STARTTLS or TLS, and a login, if they are configured.

    Attributes:
        refused: recipients that the server refuses.
    """

    def __init__(self, context=None, *, implicit_tls=False, login=None):
        self.context = context
        self.implicit_tls = implicit_tls
        self.login = login
        self.mails = []
        self.envelopes = []
        self.logins = []
        self.refused = ()
        self._server = SmtpServer(("127.0.0.1", 0), SmtpHandler)
        self._server.receiver = self
        self.port = self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def server_context(certificate):
    """Return the TLS context of a server with a certificate of trustme."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate.configure_cert(context)
    return context

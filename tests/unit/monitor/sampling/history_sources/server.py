"""A scripted HTTP server for the tests of the client."""

import gzip
import http.server
import json
import threading
from contextlib import contextmanager
from types import SimpleNamespace
from urllib.parse import parse_qs, urlsplit


def answer(document, status=200, **headers):
    """Return an answer with a JSON document."""
    return SimpleNamespace(status=status, body=json.dumps(document).encode(), headers=headers)


def text_answer(text, status=200, kind="text/html"):
    return SimpleNamespace(status=status, body=text.encode(), headers={"Content-Type": kind})


def gzip_answer(document):
    return SimpleNamespace(
        status=200, body=gzip.compress(json.dumps(document).encode()), headers={"Content-Encoding": "gzip"}
    )


def success(data, **others):
    return answer({"status": "success", "data": data, **others})


@contextmanager
def scripted_server(*answers, context=None):
    """Run a server that gives one answer per request, the last one again and again; yield its URL and requests."""
    script = list(answers)
    requests = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.reply(urlsplit(self.path).query)

        def do_POST(self):
            self.reply(self.rfile.read(int(self.headers["Content-Length"])).decode())

        def reply(self, parameters):
            request = SimpleNamespace(
                method=self.command,
                path=urlsplit(self.path).path,
                query=parse_qs(parameters),
                headers=dict(self.headers),
            )
            requests.append(request)
            reply = script.pop(0) if len(script) > 1 else script[0]
            if callable(reply):
                reply = reply(request)
            self.send_response_only(reply.status)
            for name, value in {"Content-Length": str(len(reply.body)), **reply.headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(reply.body)

        def log_message(self, *_):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        if context is not None:
            server.socket = context.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        scheme = "http" if context is None else "https"
        try:
            yield SimpleNamespace(url=f"{scheme}://127.0.0.1:{server.server_address[1]}", requests=requests)
        finally:
            server.shutdown()
            thread.join()

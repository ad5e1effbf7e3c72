"""A dashboard that answers a submission with whatever it is told to."""

import http.client
import json
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any


@contextmanager
def serving(accepted: dict[str, Any]) -> Iterator[str]:
    """The address of a server on loopback that answers each POST with `accepted`, and each GET with a version."""

    class Handler(BaseHTTPRequestHandler):
        def _answer(self, value: dict[str, Any]) -> None:
            body = json.dumps(value).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length", "0")))
            self._answer(accepted)

        def do_GET(self) -> None:
            self._answer({"version": "4", "ray_version": "2.60.0", "authentication_mode": "disabled"})

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's own name
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join()


# What others choose: names of nodes, cards, actors, tasks, groups, and sentences.
CHOSEN = {
    "hostname", "nodeManagerHostname", "name", "node_name", "class_name", "className", "func_or_class_name",
    "actorClass", "repr_name", "reprName", "actor_name", "message", "error_message", "exit_detail", "label",
    "log_file_path", "dataset", "operator",
}  # fmt: skip


def poisoned(value: Any, attack: str, key: str = "") -> Any:
    """A reply in which everything that others choose ends in an attack."""
    if isinstance(value, dict):
        return {name: poisoned(one, attack, name) for name, one in value.items()}
    if isinstance(value, list):
        return [poisoned(one, attack, key) for one in value]
    return value + attack if isinstance(value, str) and key in CHOSEN else value


@contextmanager
def poisoning(upstream: str, attack: str) -> Iterator[str]:
    """The address of a proxy before a dashboard; names of log files, of all categories, are poisoned too."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked = urllib.request.Request(upstream + self.path, headers={"Sec-Fetch-Mode": "cors"})
            try:
                with urllib.request.urlopen(asked, timeout=30) as answer:
                    status, kind, body = answer.status, answer.headers.get_content_type(), answer.read()
            except urllib.error.HTTPError as error:
                status, kind, body = error.code, "text/plain", error.read()
            except (http.client.IncompleteRead, ConnectionError) as error:  # a log, which its writer cuts
                status, kind, body = 200, "text/plain", getattr(error, "partial", b"")
            if kind == "application/json":
                found = poisoned(json.loads(body), attack)
                if self.path.startswith("/api/v0/logs?"):
                    files = found["data"]["result"]
                    found["data"]["result"] = {one: [name + attack for name in files[one]] for one in files}
                body = json.dumps(found).encode()
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's own name
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        thread = Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join()

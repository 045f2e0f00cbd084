"""An S3 server in the process of the tests: moto's, which writes on conditions atomically and counts its requests."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs
from urllib.request import Request, urlopen

BUCKET = "bucket"


@dataclass
class S3Server:
    port: int
    stop: Callable[[], None]
    """Refuse all connections until `start`; what the buckets hold stays."""

    start: Callable[[], None]
    requests: list[str] = field(default_factory=list)
    """Kind and path of each request so far, such as `PUT /bucket/a`."""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def environment(self) -> dict[str, str]:
        """Variables by which clients find it."""
        return {
            "AWS_ENDPOINT_URL": self.url,
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_EC2_METADATA_DISABLED": "true",
        }

    @contextmanager
    def counting(self) -> Iterator[Counter[str]]:
        """Requests by kind while the block runs; filled at its end."""
        counts: Counter[str] = Counter()
        before = len(self.requests)
        yield counts
        counts.update(line.partition(" /")[0] for line in self.requests[before:])


@contextmanager
def serving() -> Iterator[S3Server]:
    """A server with an empty bucket, on a free port."""
    from moto.server import DomainDispatcherApplication, create_backend_app
    from werkzeug.serving import WSGIRequestHandler, make_server

    app, lock = DomainDispatcherApplication(create_backend_app), threading.Lock()
    requests: list[str] = []

    def counted(environ: dict[str, Any], start: Any) -> Iterable[bytes]:
        with lock:  # moto compares a condition and writes in two steps
            requests.append(_kind(environ))
            return list(app(environ, start))

    class Quiet(WSGIRequestHandler):
        def log_request(self, *_: object) -> None:
            pass

    running: list[tuple[Any, threading.Thread]] = []

    def start() -> None:
        server = make_server("127.0.0.1", place.port, counted, threaded=True, request_handler=Quiet)
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        place.port = server.port
        running.append((server, thread))

    def stop() -> None:
        while running:
            server, thread = running.pop()
            server.shutdown()
            thread.join()
            server.server_close()

    place = S3Server(0, stop, start, requests)
    start()
    try:
        urlopen(Request(f"{place.url}/{BUCKET}", method="PUT")).close()
        yield place
    finally:
        stop()


def _kind(environ: dict[str, Any]) -> str:
    query = parse_qs(environ.get("QUERY_STRING", ""), keep_blank_values=True)
    kinds = {"list-type": "LIST", "delete": "DELETE", "uploads": "START", "uploadId": "PART"}
    kind = next((kind for name, kind in kinds.items() if name in query), environ["REQUEST_METHOD"])
    return f"{kind} {environ['PATH_INFO']}?{environ.get('QUERY_STRING', '')}".rstrip("?")

"""For tests of the web server: a real socket in a thread, and an HTTP client that follows no redirects."""

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from io import StringIO
from pathlib import Path
from threading import Thread

import httpx

from ketapress.mail.tokens import Purpose, create_token
from ketapress.publication import Publication
from ketapress.system.event_log import Log
from ketapress.web.app import create_app
from ketapress.web.server import Server, open_socket
from ketapress.web.site_state import SiteState


@dataclass(frozen=True)
class WebServer:
    """A server that runs: its publication, a client, and its log."""

    root: Path
    state: SiteState
    client: httpx.Client
    log_output: StringIO

    def send_raw(self, request: bytes) -> bytes:
        """Return the answer to bytes that no HTTP client would send."""
        with socket.create_connection(
            ("127.0.0.1", self.client.base_url.port or 0), timeout=30
        ) as connection:
            connection.sendall(request)
            connection.shutdown(socket.SHUT_WR)
            return b"".join(iter(lambda: connection.recv(65536), b""))

    def build_url(self, path: str) -> str:
        return f"{str(self.client.base_url).rstrip('/')}{path}"

    def build_link_path(self, purpose: Purpose, subscription_id: int = 1) -> str:
        """Return the path of a link in a message to this subscription."""
        return f"/{purpose}/{create_token(self.state.secrets[0], purpose, subscription_id)}"


@contextmanager
def run_web_server(root: Path) -> Iterator[WebServer]:
    publication = Publication(root, os.environ)
    state, log_output = SiteState.load(publication), StringIO()
    log = Log(log_output, lambda: datetime.now(UTC), as_json=True)
    server = Server(create_app(lambda: state, log), open_socket("127.0.0.1", 0))
    thread = Thread(target=server.serve, name="web")
    thread.start()
    try:
        with httpx.Client(base_url=server.url, timeout=30) as client:
            yield WebServer(root, state, client, log_output)
    finally:
        server.stop()
        thread.join()
        publication.close()

"""For tests of the web door: uvicorn on a real socket in a thread, and a client that follows nothing."""

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
from ketapress.web.app import web_door
from ketapress.web.server import Server, listening
from ketapress.web.site_state import Site


@dataclass(frozen=True)
class Door:
    """An open door: its publication, who knocks, and what it said of itself."""

    root: Path
    site: Site
    client: httpx.Client
    said: StringIO

    def raw(self, request: bytes) -> bytes:
        """The answer to bytes that no client would send."""
        with socket.create_connection(("127.0.0.1", self.client.base_url.port or 0), timeout=30) as line:
            line.sendall(request)
            line.shutdown(socket.SHUT_WR)
            return b"".join(iter(lambda: line.recv(65536), b""))

    def url(self, path: str) -> str:
        """The whole address of a path."""
        return f"{str(self.client.base_url).rstrip('/')}{path}"

    def path(self, purpose: Purpose, subscription_id: int = 1) -> str:
        """Where a letter to this subscription links to."""
        return f"/{purpose}/{create_token(self.site.secrets[0], purpose, subscription_id)}"


@contextmanager
def open_door(root: Path) -> Iterator[Door]:
    publication = Publication(root, {})
    site, said = Site.of(publication), StringIO()
    log = Log(said, lambda: datetime.now(UTC), as_json=True)
    server = Server(web_door(lambda: site, log), listening("127.0.0.1", 0))
    thread = Thread(target=server.serve, name="door")
    thread.start()
    try:
        with httpx.Client(base_url=server.address, timeout=30) as client:
            yield Door(root, site, client, said)
    finally:
        server.end()
        thread.join()
        publication.close()

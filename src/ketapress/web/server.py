"""Edge: a socket, and uvicorn on it, in whatever thread it is called from.

In: an application and an address of this machine. Out: nothing, when it was told to end and the last answers are given.
"""

import asyncio
import errno
import socket
from collections.abc import Sequence

import uvicorn
from starlette.types import ASGIApp

from ketapress.model.errors import Problem, RefusedError

_LAST_ANSWERS = 5  # seconds
_MOST_AT_ONCE = 1000  # connections: more are told to come back
_LARGEST_HEAD = 16_384  # bytes


def listening(host: str, port: int) -> socket.socket:
    """A socket that listens there; port 0 is any free one. Raises RefusedError where it cannot be had."""
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        return socket.create_server(address[:2], family=family)
    except OSError as error:
        raise RefusedError(_unavailable(host, port, error)) from error


def address_of(on: socket.socket) -> str:
    """Where a socket listens, as a browser takes it: `http://127.0.0.1:8025`."""
    host, port = on.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


class Server:
    """An application on a socket. Whoever has an answer coming when it ends still gets it."""

    def __init__(self, app: ASGIApp, on: socket.socket, trusted_proxies: Sequence[str] = ()) -> None:
        self.address = address_of(on)
        self._on = on
        self._server = uvicorn.Server(
            uvicorn.Config(
                app,
                http="h11",
                loop="asyncio",
                lifespan="off",
                ws="none",
                log_config=None,
                log_level="error",  # what strangers send that is no HTTP is no news
                access_log=False,
                server_header=False,
                proxy_headers=bool(trusted_proxies),
                forwarded_allow_ips=list(trusted_proxies),
                limit_concurrency=_MOST_AT_ONCE,
                h11_max_incomplete_event_size=_LARGEST_HEAD,
                timeout_graceful_shutdown=_LAST_ANSWERS,
            )
        )

    def serve(self) -> None:
        """Answers until `end` is called, in whatever thread."""
        try:
            asyncio.run(self._server.serve(sockets=[self._on]))
        finally:
            self._on.close()

    def end(self) -> None:
        self._server.should_exit = True


def _unavailable(host: str, port: int, error: OSError) -> Problem:
    taken = error.errno == errno.EADDRINUSE
    why = "another program listens there" if taken else f"the system says: {error.strerror or error}"
    return Problem(
        code="web.port",
        path="ketapress.toml",
        message=f"{host}:{port} cannot be listened on: {why}.",
        cure="Set [web] host and port to an address of this machine and a port that is free.",
    )

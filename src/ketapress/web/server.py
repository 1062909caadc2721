"""An HTTP server: uvicorn on a socket, in the thread that calls it."""

import asyncio
import errno
import socket
from collections.abc import Sequence

import uvicorn
from starlette.types import ASGIApp

from ketapress.model.errors import Problem, RefusedError

_SHUTDOWN_SECONDS = 5
_MAX_CONNECTIONS = 1000  # further requests get 503
_MAX_HEAD_BYTES = 16_384


def open_socket(host: str, port: int) -> socket.socket:
    """Return a socket that listens at this address; port 0 is any free port. Raises RefusedError."""
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        return socket.create_server(address[:2], family=family)
    except OSError as error:
        is_in_use = error.errno == errno.EADDRINUSE
        reason = "another program uses this port" if is_in_use else str(error.strerror or error)
        problem = Problem(
            code="web.port",
            path="ketapress.toml",
            message=f"cannot listen on {host}:{port}: {reason}.",
            cure="Set [web] host and port to an address of this machine and a free port.",
        )
        raise RefusedError(problem) from error


def get_url(listener: socket.socket) -> str:
    """Return the URL of a socket that listens: `http://127.0.0.1:8025`."""
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


class Server:
    """A server for one application. Requests that have begun are answered before it stops."""

    def __init__(self, app: ASGIApp, listener: socket.socket, trusted_proxies: Sequence[str] = ()) -> None:
        self.url = get_url(listener)
        self._listener = listener
        self._server = uvicorn.Server(
            uvicorn.Config(
                app,
                http="h11",
                loop="asyncio",
                lifespan="off",
                ws="none",
                log_config=None,
                log_level="error",  # malformed requests of strangers are not worth a line
                access_log=False,
                server_header=False,
                proxy_headers=bool(trusted_proxies),
                forwarded_allow_ips=list(trusted_proxies),
                limit_concurrency=_MAX_CONNECTIONS,
                h11_max_incomplete_event_size=_MAX_HEAD_BYTES,
                timeout_graceful_shutdown=_SHUTDOWN_SECONDS,
            )
        )

    def serve(self) -> None:
        """Answer requests until `stop` is called, from any thread."""
        try:
            asyncio.run(self._server.serve(sockets=[self._listener]))
        finally:
            self._listener.close()

    def stop(self) -> None:
        self._server.should_exit = True

"""A server for the preview: a socket on this machine alone, and an end that comes at once and without noise.

In: an application and its `Watch`. Out: nothing, when somebody ends it (Ctrl-C, SIGTERM).
"""

import asyncio
import errno
import socket
from contextlib import suppress
from types import FrameType

import uvicorn
from starlette.applications import Starlette

from ketapress.model.errors import Problem, RefusedError
from ketapress.web.preview_watch import Watch

HOST = "127.0.0.1"


def listening(port: int) -> socket.socket:
    """A socket on this machine alone; port 0 is any free one. Raises RefusedError where the port cannot be had."""
    found = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        found.bind((HOST, port))
        found.listen()
    except OSError as error:
        found.close()
        raise RefusedError(_unavailable(port, error)) from error
    return found


def serve(app: Starlette, watch: Watch, on: socket.socket) -> None:
    """Answers until it is told to end."""
    config = uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        lifespan="off",
        server_header=False,
        http="h11",
        loop="asyncio",
    )
    asyncio.run(_serve(_Server(config, watch), watch, on))


async def _serve(server: "_Server", watch: Watch, on: socket.socket) -> None:
    following = asyncio.create_task(watch.follow())
    following.add_done_callback(lambda _: server.end())
    try:
        await server.serve(sockets=[on])
    finally:
        following.cancel()
        with suppress(asyncio.CancelledError):
            await following


class _Server(uvicorn.Server):
    """uvicorn's, but it ends quietly, and first of all ends the streams of news, which it would wait for."""

    def __init__(self, config: uvicorn.Config, watch: Watch) -> None:
        super().__init__(config)
        self._watch = watch

    def end(self) -> None:
        self.should_exit = True

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:  # noqa: ARG002 - uvicorn's signature
        """Uvicorn would raise the signal once more when all is closed: for us that was no fault, but the end."""
        self.force_exit = self.should_exit
        self.end()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        await self._watch.close()
        await super().shutdown(sockets)


def _unavailable(port: int, error: OSError) -> Problem:
    taken = error.errno == errno.EADDRINUSE
    why = "another program listens there" if taken else f"the system says: {error.strerror or error}"
    return Problem(
        code="preview.port",
        message=f"{HOST}:{port} cannot be listened on: {why}.",
        cure="Name another with --port, or --port 0 for any that is free.",
    )

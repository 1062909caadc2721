"""A server for the preview: a socket on this machine alone, and an end that comes at once and without noise.

In: an application and its `Watch`. Out: nothing, when somebody ends it (Ctrl-C, SIGTERM).
"""

import asyncio
import socket
from contextlib import suppress
from types import FrameType

import uvicorn
from starlette.applications import Starlette

from ketapress.model.errors import RefusedError
from ketapress.web.preview.watch import Watch
from ketapress.web.server import listening

_CURE = "Name another port with --port, or --port 0 for any that is free."


def listening_here(port: int) -> socket.socket:
    """A socket on this machine alone; port 0 is any free one. Raises RefusedError where the port cannot be had."""
    try:
        return listening("127.0.0.1", port)
    except RefusedError as error:
        (problem,) = error.problems
        raise RefusedError(problem._replace(path=None, cure=_CURE)) from error


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

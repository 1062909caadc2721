"""A server for the preview, on this machine only. It stops at once on Ctrl-C or SIGTERM, and prints nothing then."""

import asyncio
import socket
from contextlib import suppress
from types import FrameType

import uvicorn
from starlette.applications import Starlette

from ketapress.model.errors import RefusedError
from ketapress.web.preview.watch import PreviewWatcher
from ketapress.web.server import open_socket

_CURE = "Choose another port with --port, or use --port 0 for any free one."


def open_local_socket(port: int) -> socket.socket:
    """Return a socket on 127.0.0.1; port 0 is any free port. Raises RefusedError where the port is in use."""
    try:
        return open_socket("127.0.0.1", port)
    except RefusedError as error:
        (problem,) = error.problems
        raise RefusedError(problem._replace(path=None, cure=_CURE)) from error


def serve(app: Starlette, watcher: PreviewWatcher, listener: socket.socket) -> None:
    """Answer requests until a signal stops it."""
    config = uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        lifespan="off",
        server_header=False,
        http="h11",
        loop="asyncio",
    )
    asyncio.run(_serve(_PreviewServer(config, watcher), watcher, listener))


async def _serve(server: "_PreviewServer", watcher: PreviewWatcher, listener: socket.socket) -> None:
    task = asyncio.create_task(watcher.watch_files())
    task.add_done_callback(lambda _: server.stop())
    try:
        await server.serve(sockets=[listener])
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


class _PreviewServer(uvicorn.Server):
    """A server that ends its event streams first, because uvicorn would wait for them."""

    def __init__(self, config: uvicorn.Config, watcher: PreviewWatcher) -> None:
        super().__init__(config)
        self._watcher = watcher

    def stop(self) -> None:
        self.should_exit = True

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:  # noqa: ARG002 - uvicorn's signature
        """Stop without keeping the signal: uvicorn would raise it again at the end, as if the server had failed."""
        self.force_exit = self.should_exit
        self.stop()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        await self._watcher.close()
        await super().shutdown(sockets)

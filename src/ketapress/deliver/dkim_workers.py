"""DKIM signatures by separate processes, so that slow keys do not delay the connections.

A process reads the key and then digests from its standard input, and writes signatures of a fixed size in the same
order. It ends when its input is closed, also if the sender was killed.
"""

import asyncio
import os
import signal
import sys
from collections import deque
from collections.abc import Awaitable, Sequence
from datetime import datetime
from types import TracebackType
from typing import Self

from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from ketapress.model.errors import KetapressError, Problem
from ketapress.model.settings import DkimSettings
from ketapress.relay.dkim import PendingSignature, SigningKey, parse_key, prepare_signature

DIGEST_SIZE = 32
_LENGTH_SIZE = 4
_MAX_PROCESSES = 4  # each signs 2,000 messages a second with RSA of 2048 bits


class DkimSigner:
    """Signs messages with one key. Use it as an asynchronous context manager."""

    def __init__(self, key: SigningKey, process_count: int | None = None) -> None:
        self.key = key
        if process_count is None:
            process_count = min(_MAX_PROCESSES, max(1, (os.cpu_count() or 1) - 1))
        self._process_count = process_count if key.is_slow else 0
        self._processes: list[_SigningProcess] = []

    async def __aenter__(self) -> Self:
        self._processes = [await _SigningProcess.start(self.key) for _ in range(self._process_count)]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for process in self._processes:
            await process.stop()

    def start_signature(self, chunks: Sequence[bytes], date: datetime) -> tuple[int, Awaitable[bytes]]:
        """Return the size of a message's signature field, and the field itself when it is signed."""
        pending = prepare_signature(self.key, chunks, date)
        size = len(pending.complete(bytes(self.key.signature_size)))
        return size, self._complete(pending, self._sign(pending.digest))

    async def _complete(self, pending: PendingSignature, signature: asyncio.Future[bytes]) -> bytes:
        return pending.complete(await signature)

    def _sign(self, digest: bytes) -> asyncio.Future[bytes]:
        if self._processes:
            return min(self._processes, key=len).sign(digest)
        signature: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        signature.set_result(self.key.sign(digest))
        return signature


class _SigningProcess:
    """One process. Its length is the number of signatures that it has not returned yet."""

    def __init__(self, process: asyncio.subprocess.Process, signature_size: int) -> None:
        assert process.stdin is not None  # both are pipes
        assert process.stdout is not None
        self._process = process
        self._stdin = process.stdin
        self._stdout = process.stdout
        self._signature_size = signature_size
        self._pending: deque[asyncio.Future[bytes]] = deque()
        self._reader = asyncio.create_task(self._read_signatures())

    @classmethod
    async def start(cls, key: SigningKey) -> Self:
        command = [sys.executable, "-m", "ketapress.deliver.dkim_workers"]
        pipe = asyncio.subprocess.PIPE
        process = cls(
            await asyncio.create_subprocess_exec(*command, stdin=pipe, stdout=pipe), key.signature_size
        )
        pem = key.private_key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        process._stdin.write(len(pem).to_bytes(_LENGTH_SIZE, "big") + pem)
        return process

    def __len__(self) -> int:
        return len(self._pending)

    def sign(self, digest: bytes) -> asyncio.Future[bytes]:
        signature: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        if self._reader.done():
            signature.set_exception(_process_error())
            return signature
        self._pending.append(signature)
        self._stdin.write(digest)
        return signature

    async def stop(self) -> None:
        self._stdin.close()
        await self._process.wait()
        await self._reader

    async def _read_signatures(self) -> None:
        try:
            while True:
                data = await self._stdout.readexactly(self._signature_size)
                signature = self._pending.popleft()
                if not signature.done():
                    signature.set_result(data)
        except asyncio.IncompleteReadError:
            for signature in self._pending:
                if not signature.done():
                    signature.set_exception(_process_error())


def _process_error() -> KetapressError:
    return KetapressError(
        Problem(
            code="send.signing",
            message="a process that signs mail ended unexpectedly, so sending was stopped.",
            cure="Run `ketapress send` again: it continues where it stopped.",
        )
    )


def run_worker() -> None:
    """Sign digests from standard input until it is closed."""
    for number in (signal.SIGINT, signal.SIGTERM):  # the sender gets them too, finishes, and closes the pipe
        signal.signal(number, signal.SIG_IGN)
    source, target = sys.stdin.buffer, sys.stdout.buffer
    length = int.from_bytes(source.read(_LENGTH_SIZE), "big")
    key = parse_key(DkimSettings(domain="", selector="", key_file=""), source.read(length))
    while len(digest := source.read(DIGEST_SIZE)) == DIGEST_SIZE:
        target.write(key.sign(digest))
        target.flush()


if __name__ == "__main__":
    run_worker()

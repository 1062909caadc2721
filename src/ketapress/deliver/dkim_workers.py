"""Signatures while mail goes out: slow keys sign in processes of their own, so that the connections are not held up.

In: digests, a key. Out: signatures, in the order asked for. A process gets the key and then digests on its standard
input, and writes signatures of a fixed size; it ends when that is closed, however this process died.
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
from ketapress.relay.dkim import SigningKey, Unsigned, parsed_key, signature_length, unsigned

DIGEST = 32
_LENGTH = 4
_MOST = 4  # processes; each signs 2,000 messages a second with RSA of 2048 bits


class Signer:
    """Signs with one key. Use it as an asynchronous context manager."""

    def __init__(self, key: SigningKey, processes: int | None = None) -> None:
        self.key = key
        wanted = min(_MOST, max(1, (os.cpu_count() or 1) - 1)) if processes is None else processes
        self._wanted = wanted if key.slow else 0
        self._processes: list[_Process] = []

    async def __aenter__(self) -> Self:
        self._processes = [await _Process.begun(self.key) for _ in range(self._wanted)]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for process in self._processes:
            await process.ended()

    def begun(self, message: Sequence[bytes], moment: datetime) -> tuple[int, Awaitable[bytes]]:
        """How long the signature of a message with this Date will be, and the header field that goes before it."""
        waiting = unsigned(self.key, message, moment)
        signature = self._signature(waiting.digest)
        return signature_length(self.key, waiting), self._written(waiting, signature)

    async def _written(self, waiting: Unsigned, signature: asyncio.Future[bytes]) -> bytes:
        return waiting.signed(await signature)

    def _signature(self, digest: bytes) -> asyncio.Future[bytes]:
        """The signature of a digest, when it is there."""
        if self._processes:
            return min(self._processes, key=len).asked(digest)
        done: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        done.set_result(self.key.sign(digest))
        return done


class _Process:
    """One process that signs. Its length is how many signatures it still owes."""

    def __init__(self, process: asyncio.subprocess.Process, size: int) -> None:
        self._process = process
        self._size = size
        self._owed: deque[asyncio.Future[bytes]] = deque()
        self._reading = asyncio.create_task(self._read())

    @classmethod
    async def begun(cls, key: SigningKey) -> "_Process":
        words = [sys.executable, "-m", "ketapress.deliver.dkim_workers"]
        pipe = asyncio.subprocess.PIPE
        process = await asyncio.create_subprocess_exec(*words, stdin=pipe, stdout=pipe)
        pem = key.private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        begun = cls(process, key.size)
        begun._write(len(pem).to_bytes(_LENGTH, "big") + pem)
        return begun

    def __len__(self) -> int:
        return len(self._owed)

    def asked(self, digest: bytes) -> asyncio.Future[bytes]:
        owed: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        if self._reading.done():
            owed.set_exception(_lost())
            return owed
        self._owed.append(owed)
        self._write(digest)
        return owed

    async def ended(self) -> None:
        assert self._process.stdin is not None  # it was asked for
        self._process.stdin.close()
        await self._process.wait()
        await self._reading

    def _write(self, data: bytes) -> None:
        assert self._process.stdin is not None  # it was asked for
        self._process.stdin.write(data)

    async def _read(self) -> None:
        assert self._process.stdout is not None  # it was asked for
        try:
            while True:
                signature = await self._process.stdout.readexactly(self._size)
                owed = self._owed.popleft()
                if not owed.done():
                    owed.set_result(signature)
        except asyncio.IncompleteReadError:
            for owed in self._owed:
                if not owed.done():
                    owed.set_exception(_lost())


def _lost() -> KetapressError:
    return KetapressError(
        Problem(
            code="send.signing",
            message="a process that signs mail ended before its time, so sending was stopped.",
            cure="Run `ketapress send` again: it goes on where it stopped.",
        )
    )


def sign_for_another() -> None:
    """What the process does: a key comes in, then digests; signatures go out."""
    for each in (signal.SIGINT, signal.SIGTERM):  # who asked is told to end, finishes, and closes the pipe
        signal.signal(each, signal.SIG_IGN)
    source, target = sys.stdin.buffer, sys.stdout.buffer
    length = int.from_bytes(source.read(_LENGTH), "big")
    key = parsed_key(DkimSettings(domain="", selector="", key_file=""), source.read(length))
    while len(digest := source.read(DIGEST)) == DIGEST:
        target.write(key.sign(digest))
        target.flush()


if __name__ == "__main__":
    sign_for_another()

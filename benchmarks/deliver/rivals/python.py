"""Sends through smtplib (one thread a connection) or aiosmtplib, messages that are rendered already.

python python.py smtplib|aiosmtplib PORT MESSAGES CONNECTIONS SIZE      prints seconds and processor seconds
"""

import asyncio
import itertools
import smtplib
import sys
import time
from concurrent.futures import ThreadPoolExecutor

SENDER = "digest@example.org"


def message(size: int) -> bytes:
    body = (b"x" * 74 + b"\r\n") * (size // 76)
    return b"From: digest@example.org\r\nSubject: News\r\n\r\n" + body


def threads(port: int, messages: int, connections: int, size: int) -> None:
    numbers, whole = itertools.count(), message(size)

    def carry() -> None:
        with smtplib.SMTP("127.0.0.1", port) as relay:
            while (number := next(numbers)) < messages:
                relay.sendmail(SENDER, [f"reader{number}@example.net"], b"To: %d\r\n" % number + whole)

    with ThreadPoolExecutor(connections) as pool:
        for each in [pool.submit(carry) for _ in range(connections)]:
            each.result()


async def tasks(port: int, messages: int, connections: int, size: int) -> None:
    import aiosmtplib  # noqa: PLC0415 - only where it is measured

    numbers, whole = itertools.count(), message(size)

    async def carry() -> None:
        async with aiosmtplib.SMTP(hostname="127.0.0.1", port=port, start_tls=False) as relay:
            while (number := next(numbers)) < messages:
                await relay.sendmail(SENDER, [f"reader{number}@example.net"], b"To: %d\r\n" % number + whole)

    async with asyncio.TaskGroup() as carriers:
        for _ in range(connections):
            carriers.create_task(carry())


def main() -> None:
    library, *numbers = sys.argv[1:]
    port, messages, connections, size = map(int, numbers)
    start, used = time.perf_counter(), time.process_time()
    if library == "smtplib":
        threads(port, messages, connections, size)
    else:
        asyncio.run(tasks(port, messages, connections, size))
    print(time.perf_counter() - start, time.process_time() - used)


if __name__ == "__main__":
    main()

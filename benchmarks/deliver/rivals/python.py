"""Send prepared messages through smtplib (a thread for each connection) or aiosmtplib.

python python.py smtplib|aiosmtplib PORT MESSAGES CONNECTIONS SIZE      print seconds and CPU seconds
"""

import asyncio
import itertools
import smtplib
import sys
import time
from concurrent.futures import ThreadPoolExecutor

SENDER = "digest@example.org"


def build_message(size: int) -> bytes:
    body = (b"x" * 74 + b"\r\n") * (size // 76)
    return b"From: digest@example.org\r\nSubject: News\r\n\r\n" + body


def send_by_threads(port: int, messages: int, connections: int, size: int) -> None:
    numbers, body = itertools.count(), build_message(size)

    def send_messages() -> None:
        with smtplib.SMTP("127.0.0.1", port) as relay:
            while (number := next(numbers)) < messages:
                relay.sendmail(SENDER, [f"reader{number}@example.net"], b"To: %d\r\n" % number + body)

    with ThreadPoolExecutor(connections) as pool:
        for future in [pool.submit(send_messages) for _ in range(connections)]:
            future.result()


async def send_by_tasks(port: int, messages: int, connections: int, size: int) -> None:
    import aiosmtplib  # noqa: PLC0415 - only where it is measured

    numbers, body = itertools.count(), build_message(size)

    async def send_messages() -> None:
        async with aiosmtplib.SMTP(hostname="127.0.0.1", port=port, start_tls=False) as relay:
            while (number := next(numbers)) < messages:
                await relay.sendmail(SENDER, [f"reader{number}@example.net"], b"To: %d\r\n" % number + body)

    async with asyncio.TaskGroup() as group:
        for _ in range(connections):
            group.create_task(send_messages())


def main() -> None:
    library, *numbers = sys.argv[1:]
    port, messages, connections, size = map(int, numbers)
    start, cpu_start = time.perf_counter(), time.process_time()
    if library == "smtplib":
        send_by_threads(port, messages, connections, size)
    else:
        asyncio.run(send_by_tasks(port, messages, connections, size))
    print(time.perf_counter() - start, time.process_time() - cpu_start)


if __name__ == "__main__":
    main()

"""For tests of the preview: a process of its own, on a free port."""

import http.client
import os
import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Self

AT = "2023-06-08T09:00"
TIMEOUT = 60
PAGE = "/newsletter/weekly"


@dataclass(frozen=True)
class Response:
    """A response of the server."""

    status: int
    headers: dict[str, str]
    content: bytes

    @property
    def text(self) -> str:
        return self.content.decode()


@dataclass(frozen=True)
class PreviewProcess:
    """A preview that is running."""

    folder: Path
    process: "subprocess.Popen[str]"
    port: int

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def get(self, path: str = PAGE, *, host: str | None = None) -> Response:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=TIMEOUT)
        try:
            connection.putrequest("GET", path, skip_host=True)
            for name in [f"127.0.0.1:{self.port}"] if host is None else host.split():
                connection.putheader("Host", name)
            connection.endheaders()
            response = connection.getresponse()
            headers = {name.lower(): value for name, value in response.getheaders()}
            return Response(response.status, headers, response.read())
        finally:
            connection.close()

    def get_number(self) -> str:
        """Return the number of the current state."""
        match = re.search(r'data-number="(\d+)"', self.get().text)
        assert match
        return match[1]

    def wait_for_page(self, number: str, is_expected: Callable[[str], bool]) -> str:
        """Return the page as soon as it is as expected. It is requested after each event only."""
        with EventStream(self, number) as stream:
            while not is_expected(page := self.get().text):
                stream.read_event()
        return page


class EventStream:
    """The stream of events that a page reads."""

    def __init__(self, preview: PreviewProcess, number: str) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", preview.port, timeout=TIMEOUT)
        self._connection.request("GET", f"/events?after={number}")
        self._response = self._connection.getresponse()
        assert self._response.readline() == b": listening\n"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    def read_event(self) -> str:
        while line := self._response.readline():
            if line.startswith(b"data: "):
                return line.removeprefix(b"data: ").strip().decode()
        raise AssertionError("the stream ended")


def start_preview(folder: Path, *arguments: str, stdout: int = subprocess.PIPE) -> "subprocess.Popen[str]":
    command = [sys.executable, "-m", "ketapress", "-C", str(folder), "preview", "--at", AT, *arguments]
    return subprocess.Popen(command, stdout=stdout, stderr=subprocess.PIPE, text=True, env=os.environ)


def parse_port(line: str) -> int:
    match = re.match(r"http://127\.0\.0\.1:(\d+)/ ", line)
    assert match, line
    return int(match[1])


def stop_preview(process: "subprocess.Popen[str]") -> None:
    process.kill()
    process.communicate()

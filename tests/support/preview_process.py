"""The preview as an editor starts it: a process of its own, on a port that was free."""

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
PATIENCE = 60
PAGE = "/newsletter/weekly"


@dataclass(frozen=True)
class Reply:
    """What the server answered; `text` is its body."""

    status: int
    headers: dict[str, str]
    content: bytes

    @property
    def text(self) -> str:
        return self.content.decode()


@dataclass(frozen=True)
class Served:
    """A preview that runs."""

    folder: Path
    process: "subprocess.Popen[str]"
    port: int

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def get(self, path: str = PAGE, *, host: str | None = None) -> Reply:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        try:
            connection.putrequest("GET", path, skip_host=True)
            for each in [f"127.0.0.1:{self.port}"] if host is None else host.split():
                connection.putheader("Host", each)
            connection.endheaders()
            answer = connection.getresponse()
            return Reply(answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read())
        finally:
            connection.close()

    def number(self) -> str:
        """The number of what is shown now."""
        found = re.search(r'data-number="(\d+)"', self.get().text)
        assert found
        return found[1]

    def shows(self, after: str, wanted: Callable[[str], bool]) -> str:
        """The page as soon as it is as wanted; looked at each time that the stream has news, and never in between."""
        with Stream(self, after) as stream:
            while not wanted(page := self.get().text):
                stream.next()
        return page


class Stream:
    """A page that listens to the stream of news."""

    def __init__(self, served: Served, after: str) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", served.port, timeout=PATIENCE)
        self._connection.request("GET", f"/events?after={after}")
        self._answer = self._connection.getresponse()
        assert self._answer.readline() == b": listening\n"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    def next(self) -> str:
        while line := self._answer.readline():
            if line.startswith(b"data: "):
                return line.removeprefix(b"data: ").strip().decode()
        raise AssertionError("the stream ended")


def started(folder: Path, *words: str, stdout: int = subprocess.PIPE) -> "subprocess.Popen[str]":
    command = [sys.executable, "-m", "ketapress", "-C", str(folder), "preview", "--at", AT, *words]
    return subprocess.Popen(command, stdout=stdout, stderr=subprocess.PIPE, text=True, env=os.environ)


def port_of(line: str) -> int:
    found = re.match(r"http://127\.0\.0\.1:(\d+)/ ", line)
    assert found, line
    return int(found[1])


def ended(process: "subprocess.Popen[str]") -> None:
    process.kill()
    process.communicate()

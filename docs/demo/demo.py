"""Ketapress, live, on this machine alone: `make demo`. Ctrl-C ends it, and nothing is left.

In a temporary folder: a publication with a newsletter that is due every minute, two dozen subscribers, and somebody who
writes a post every minute. Around it: a relay that takes every message and keeps it, `ketapress run`, and a page that
shows the messages as they arrive. It stands in docs/ because it is for people who look, and is no part of what is
installed: it uses what the tests use (aiosmtpd).
"""

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from pathlib import Path
from threading import Event, Thread
from urllib.parse import parse_qs, urlsplit

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

HERE = Path(__file__).parent
HOST = "127.0.0.1"
EVERY = 60.0  # seconds from one post to the next
KEPT = 300  # messages

SETTINGS = """
[site]
title = "The Minute"
url = "{door}"
description = "A small publication that has something to say every minute."
postal_address = "The Minute, 1 Example Street"

[newsletters.minute]
title = "The Minute, by mail"
schedule = "* * * * *"
starts = {starts}
send_within = "1h"
from = "The Minute <minute@example.org>"

[relay]
url = "smtp://{host}:{relay}"

[web]
url = "{door}"
port = {web}
"""

POSTS = (
    (
        "On bread and patience",
        "Dough keeps its own clock. Whoever looks too often learns that *nothing* happens, and then that everything did.",
    ),
    (
        "A list of quiet places",
        "- the library before ten\n- a ferry in November\n- the last row of any theatre\n\nEach of them is free, or nearly.",
    ),
    (
        "What a tide table knows",
        "| harbour | high | low |\n|---|---|---|\n| North pier | 06:12 | 12:25 |\n| South pier | 06:31 | 12:44 |\n\nThe difference is a walk of nineteen minutes.",
    ),
    (
        "How to read a map upside down",
        "> North is a habit.\n\nTurn it round, and the valley that you came by is the valley that you go to.",
    ),
    (
        "Notes on repairing a chair",
        "Glue first, then the clamp, then a night of sleep. The `order` matters more than the glue.",
    ),
)
PEOPLE = [
    "ada",
    "ben",
    "cleo",
    "dan",
    "eve",
    "finn",
    "gus",
    "hana",
    "ida",
    "jon",
    "kim",
    "leo",
    "mia",
    "noor",
    "ole",
    "pia",
    "quin",
    "rosa",
    "sam",
    "tea",
    "uma",
    "vic",
    "wren",
    "yuri",
]


@dataclass(frozen=True)
class Caught:
    """A message as the relay was handed it."""

    number: int
    at: str
    to: str
    message: EmailMessage

    @property
    def page(self) -> str:
        """What a mail program shows; links open beside this page."""
        part = self.message.get_body(("html", "plain"))
        content: str = part.get_content() if part else ""
        return content.replace("<head>", '<head><base target="_blank">', 1)


class Catcher:
    """The relay: takes everything, passes nothing on, keeps the newest messages."""

    def __init__(self) -> None:
        self.messages: deque[Caught] = deque(maxlen=KEPT)
        self._numbers = count(1)

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802 - aiosmtpd's name
        message = message_from_bytes(envelope.original_content or b"", policy=policy.default)
        now = f"{datetime.now().astimezone():%H:%M:%S}"
        self.messages.append(Caught(next(self._numbers), now, ", ".join(envelope.rcpt_tos), message))
        return "250 2.0.0 caught"


@contextmanager
def inbox(catcher: Catcher, site: str) -> Iterator[str]:
    """The page that shows the messages; its address."""

    class Answering(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked = urlsplit(self.path)
            number = asked.path.removeprefix("/messages/")
            if asked.path == "/":
                self._say("text/html; charset=utf-8", (HERE / "page.html").read_bytes())
            elif asked.path == "/messages.json":
                self._say("application/json", json.dumps(listing(catcher, site, asked.query)).encode())
            elif found := [each for each in catcher.messages if str(each.number) == number]:
                self._say("text/html; charset=utf-8", found[0].page.encode())
            else:
                self.send_error(HTTPStatus.NOT_FOUND)

        def _say(self, kind: str, content: bytes) -> None:
            self.send_response(HTTPStatus.OK)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(content)))
            self.send_header("Cache-Control", "no-store")
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_words: object) -> None:
            """The terminal is the daemon's."""

    with ThreadingHTTPServer((HOST, 0), Answering) as server:
        thread = Thread(target=server.serve_forever, args=(0.1,), daemon=True)
        thread.start()
        try:
            yield f"http://{HOST}:{server.server_port}/"
        finally:
            server.shutdown()
            thread.join()


def listing(catcher: Catcher, site: str, query: str) -> Mapping[str, object]:
    after = int(parse_qs(query).get("after", ["0"])[0])
    return {
        "site": site,
        "messages": [
            {"number": each.number, "at": each.at, "to": each.to, "subject": each.message["Subject"]}
            for each in list(catcher.messages)
            if each.number > after
        ],
    }


def free_port() -> int:
    with socket.socket() as found:
        found.bind((HOST, 0))
        port: int = found.getsockname()[1]
        return port


def begin(root: Path, relay: int) -> str:
    """Makes the publication, with its readers and first posts; the address of its web door."""
    web = free_port()
    door = f"http://{HOST}:{web}"
    now = datetime.now(UTC)
    (root / "posts").mkdir()
    (root / "ketapress.toml").write_text(
        SETTINGS.format(door=door, starts=_day_before_posts(now), host=HOST, relay=relay, web=web)
    )
    for number in range(2):
        write_post(
            root, number, now - timedelta(minutes=10)
        )  # of this very minute, they would wait for the next slot
    people = "address,name\n" + "".join(f"{name}@example.net,{name.title()}\n" for name in PEOPLE)
    (root / "people.csv").write_text(people)
    for words in (["subscribers", "import", "people.csv"], ["compose", "minute", "--now"]):
        subprocess.run(command(root, *words), cwd=root, check=True, capture_output=True)
    return door


def _day_before_posts(now: datetime) -> date:
    """A day that began before the first posts, also just after midnight: what is older than `starts` is in no edition."""
    return (now - timedelta(hours=1)).date()


def write_post(root: Path, number: int, moment: datetime) -> None:
    title, words = POSTS[number % len(POSTS)]
    name, again = title.lower().replace(" ", "-"), number // len(POSTS)
    heading = f"{title}, part {again + 1}" if again else title
    text = f"---\ntitle: {heading}\ndate: {moment.isoformat()}\n---\n{words}\n"
    (root / "posts" / f"{number:04}-{name}.md").write_text(text)


def write_posts(root: Path, stop: Event) -> None:
    numbers = count(2)
    while not stop.wait(EVERY):
        write_post(root, next(numbers), datetime.now(UTC))


def command(root: Path, *words: str) -> list[str]:
    return [sys.executable, "-m", "ketapress", "-C", str(root), *words]


def main() -> int:
    stop = Event()
    for each in (signal.SIGINT, signal.SIGTERM):
        signal.signal(each, lambda *_: stop.set())
    with ExitStack() as open_things:
        root = Path(open_things.enter_context(tempfile.TemporaryDirectory(prefix="ketapress-demo-")))
        catcher = Catcher()
        port = free_port()
        relay = Controller(catcher, hostname=HOST, port=port)
        relay.start()
        open_things.callback(relay.stop)
        door = begin(root, port)
        page = open_things.enter_context(inbox(catcher, f"{door}/"))
        print(f"the mail, as it arrives   {page}")
        print(f"the publication           {door}/")
        print(f"its folder                {root}")
        print(f"the relay                 smtp://{HOST}:{port}")
        print(f"how it stands             {sys.executable} -m ketapress -C {root} status")
        print("Ctrl-C ends it, and nothing is left.\n", flush=True)
        writer = Thread(target=write_posts, args=(root, stop), daemon=True)
        writer.start()
        daemon = subprocess.Popen(command(root, "run"), start_new_session=True)
        while not stop.wait(0.2) and daemon.poll() is None:
            continue
        stop.set()
        if daemon.poll() is None:
            os.kill(daemon.pid, signal.SIGTERM)
        writer.join()
        return daemon.wait()


if __name__ == "__main__":
    sys.exit(main())

"""A live demonstration of Ketapress on this machine: `make demo`. Ctrl-C stops it and removes everything.

In a temporary folder, it creates a publication with a newsletter that is due every minute and two dozen subscribers, and
writes a post every minute. It runs a relay that accepts and keeps every message, `ketapress run`, and a page that shows
the messages as they arrive. It is in docs/ because it is not part of the package: it needs aiosmtpd, as the tests do.
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
from datetime import UTC, datetime, timedelta
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
POST_INTERVAL = 60.0  # seconds
MAX_MESSAGES = 300

SETTINGS = """
[site]
title = "The Minute"
url = "{url}"
description = "A small publication that has something to say every minute."
postal_address = "The Minute, 1 Example Street"

[newsletters.minute]
title = "The Minute, by mail"
schedule = "* * * * *"
starts = {starts}
send_within = "1h"
from = "The Minute <minute@example.org>"

[relay]
url = "smtp://{host}:{relay_port}"

[web]
url = "{url}"
port = {web_port}
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
NAMES = [
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
class ReceivedMessage:
    """A message as the relay received it."""

    number: int
    time: str
    to: str
    message: EmailMessage

    @property
    def page(self) -> str:
        """The HTML part, or else the text part, with links that open in a new tab."""
        part = self.message.get_body(("html", "plain"))
        content: str = part.get_content() if part else ""
        return content.replace("<head>", '<head><base target="_blank">', 1)


class MessageStore:
    """The handler of the relay: accepts all messages, forwards none, and keeps the newest."""

    def __init__(self) -> None:
        self.messages: deque[ReceivedMessage] = deque(maxlen=MAX_MESSAGES)
        self._numbers = count(1)

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802 - aiosmtpd's name
        message = message_from_bytes(envelope.original_content or b"", policy=policy.default)
        time = f"{datetime.now().astimezone():%H:%M:%S}"
        recipients = ", ".join(envelope.rcpt_tos)
        self.messages.append(ReceivedMessage(next(self._numbers), time, recipients, message))
        return "250 2.0.0 accepted"


@contextmanager
def serve_inbox(messages: MessageStore, site_url: str) -> Iterator[str]:
    """Serve the page that shows the messages. Yield its URL."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            url = urlsplit(self.path)
            number = url.path.removeprefix("/messages/")
            if url.path == "/":
                self._respond("text/html; charset=utf-8", (HERE / "page.html").read_bytes())
            elif url.path == "/messages.json":
                self._respond(
                    "application/json", json.dumps(list_messages(messages, site_url, url.query)).encode()
                )
            elif matches := [message for message in messages.messages if str(message.number) == number]:
                self._respond("text/html; charset=utf-8", matches[0].page.encode())
            else:
                self.send_error(HTTPStatus.NOT_FOUND)

        def _respond(self, kind: str, content: bytes) -> None:
            self.send_response(HTTPStatus.OK)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(content)))
            self.send_header("Cache-Control", "no-store")
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_args: object) -> None:
            """Leave the terminal to `ketapress run`."""

    with ThreadingHTTPServer((HOST, 0), Handler) as server:
        thread = Thread(target=server.serve_forever, args=(0.1,), daemon=True)
        thread.start()
        try:
            yield f"http://{HOST}:{server.server_port}/"
        finally:
            server.shutdown()
            thread.join()


def list_messages(messages: MessageStore, site_url: str, query: str) -> Mapping[str, object]:
    """Return the messages after a number, as the page reads them."""
    after = int(parse_qs(query).get("after", ["0"])[0])
    return {
        "site": site_url,
        "messages": [
            {
                "number": message.number,
                "at": message.time,
                "to": message.to,
                "subject": message.message["Subject"],
            }
            for message in list(messages.messages)
            if message.number > after
        ],
    }


def free_port() -> int:
    with socket.socket() as server:
        server.bind((HOST, 0))
        port: int = server.getsockname()[1]
        return port


def create_publication(root: Path, relay_port: int) -> str:
    """Create the publication with its subscribers, first posts, and first edition. Return the URL of its site."""
    web_port = free_port()
    url = f"http://{HOST}:{web_port}"
    now = datetime.now(UTC)
    starts = (now - timedelta(hours=1)).date()  # before the first posts, also just after midnight
    (root / "posts").mkdir()
    (root / "ketapress.toml").write_text(
        SETTINGS.format(url=url, starts=starts, host=HOST, relay_port=relay_port, web_port=web_port)
    )
    for number in range(2):  # posts of this minute would wait for the next edition
        write_post(root, number, now - timedelta(minutes=10))
    rows = "".join(f"{name}@example.net,{name.title()}\n" for name in NAMES)
    (root / "subscribers.csv").write_text(f"address,name\n{rows}")
    for arguments in (["subscribers", "import", "subscribers.csv"], ["compose", "minute", "--now"]):
        subprocess.run(ketapress_command(root, *arguments), cwd=root, check=True, capture_output=True)
    return url


def write_post(root: Path, number: int, date: datetime) -> None:
    title, body = POSTS[number % len(POSTS)]
    name, part = title.lower().replace(" ", "-"), number // len(POSTS) + 1
    heading = f"{title}, part {part}" if part > 1 else title
    text = f"---\ntitle: {heading}\ndate: {date.isoformat()}\n---\n{body}\n"
    (root / "posts" / f"{number:04}-{name}.md").write_text(text)


def write_posts(root: Path, stop: Event) -> None:
    numbers = count(2)
    while not stop.wait(POST_INTERVAL):
        write_post(root, next(numbers), datetime.now(UTC))


def ketapress_command(root: Path, *arguments: str) -> list[str]:
    return [sys.executable, "-m", "ketapress", "-C", str(root), *arguments]


def main() -> int:
    stop = Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    with ExitStack() as stack:
        root = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="ketapress-demo-")))
        messages = MessageStore()
        relay_port = free_port()
        relay = Controller(messages, hostname=HOST, port=relay_port)
        relay.start()
        stack.callback(relay.stop)
        url = create_publication(root, relay_port)
        inbox_url = stack.enter_context(serve_inbox(messages, f"{url}/"))
        print(f"Incoming mail   {inbox_url}")
        print(f"Site            {url}/")
        print(f"Folder          {root}")
        print(f"Relay           smtp://{HOST}:{relay_port}")
        print(f"Status          {sys.executable} -m ketapress -C {root} status")
        print("Press Ctrl-C to stop the demo and remove its files.\n", flush=True)
        writer = Thread(target=write_posts, args=(root, stop), daemon=True)
        writer.start()
        daemon = subprocess.Popen(ketapress_command(root, "run"), start_new_session=True)
        while not stop.wait(0.2) and daemon.poll() is None:
            continue
        stop.set()
        if daemon.poll() is None:
            os.kill(daemon.pid, signal.SIGTERM)
        writer.join()
        return daemon.wait()


if __name__ == "__main__":
    sys.exit(main())

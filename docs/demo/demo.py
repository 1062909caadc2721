"""Run a live demo of Ketapress on this machine: `make demo`. Ctrl-C ends it and removes its files.

The demo makes a publication in a temporary folder, with a newsletter that is due every minute, two dozen subscribers, and
a new post every minute. It starts a relay that stores all messages, `ketapress run`, and a page that shows the messages
as they arrive. It is in docs/ because it is not installed: it requires aiosmtpd, a dependency of the tests.
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
POST_INTERVAL = 60.0  # seconds from one post to the next
MAX_MESSAGES = 300  # messages

SETTINGS = """
[site]
title = "The Minute"
url = "{web_url}"
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
url = "{web_url}"
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
class InboxMessage:
    """A message that the relay received."""

    number: int
    at: str
    to: str
    message: EmailMessage

    @property
    def page(self) -> str:
        """The HTML of the message; its links open in a new tab."""
        part = self.message.get_body(("html", "plain"))
        content: str = part.get_content() if part else ""
        return content.replace("<head>", '<head><base target="_blank">', 1)


class RelayHandler:
    """A handler for aiosmtpd that accepts all messages, relays none, and stores the newest."""

    def __init__(self) -> None:
        self.messages: deque[InboxMessage] = deque(maxlen=MAX_MESSAGES)
        self._numbers = count(1)

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802 - aiosmtpd's name
        message = message_from_bytes(envelope.original_content or b"", policy=policy.default)
        now = f"{datetime.now().astimezone():%H:%M:%S}"
        self.messages.append(InboxMessage(next(self._numbers), now, ", ".join(envelope.rcpt_tos), message))
        return "250 2.0.0 accepted"


@contextmanager
def serve_inbox(handler: RelayHandler, site: str) -> Iterator[str]:
    """Serve the page that shows the messages, and yield its address."""

    class RequestHandler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            url = urlsplit(self.path)
            number = url.path.removeprefix("/messages/")
            if url.path == "/":
                self._respond("text/html; charset=utf-8", (HERE / "page.html").read_bytes())
            elif url.path == "/messages.json":
                self._respond(
                    "application/json", json.dumps(list_messages(handler, site, url.query)).encode()
                )
            elif messages := [message for message in handler.messages if str(message.number) == number]:
                self._respond("text/html; charset=utf-8", messages[0].page.encode())
            else:
                self.send_error(HTTPStatus.NOT_FOUND)

        def _respond(self, content_type: str, content: bytes) -> None:
            self.send_response(HTTPStatus.OK)
            self.send_header("Content-Type", content_type)
            self.send_header("Content-Length", str(len(content)))
            self.send_header("Cache-Control", "no-store")
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_words: object) -> None:
            """Log nothing: the terminal shows the log of the daemon."""

    with ThreadingHTTPServer((HOST, 0), RequestHandler) as server:
        thread = Thread(target=server.serve_forever, args=(0.1,), daemon=True)
        thread.start()
        try:
            yield f"http://{HOST}:{server.server_port}/"
        finally:
            server.shutdown()
            thread.join()


def list_messages(handler: RelayHandler, site: str, query: str) -> Mapping[str, object]:
    after = int(parse_qs(query).get("after", ["0"])[0])
    return {
        "site": site,
        "messages": [
            {
                "number": message.number,
                "at": message.at,
                "to": message.to,
                "subject": message.message["Subject"],
            }
            for message in list(handler.messages)
            if message.number > after
        ],
    }


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind((HOST, 0))
        port: int = listener.getsockname()[1]
        return port


def create_publication(root: Path, relay: int) -> str:
    """Make the publication with its subscribers and first posts; return the address of its web server."""
    web = free_port()
    web_url = f"http://{HOST}:{web}"
    now = datetime.now(UTC)
    (root / "posts").mkdir()
    (root / "ketapress.toml").write_text(
        SETTINGS.format(web_url=web_url, starts=_day_before_posts(now), host=HOST, relay=relay, web=web)
    )
    for number in range(2):
        write_post(
            root, number, now - timedelta(minutes=10)
        )  # posts of this minute would wait for the next slot
    rows = "address,name\n" + "".join(f"{name}@example.net,{name.title()}\n" for name in NAMES)
    (root / "subscribers.csv").write_text(rows)
    for arguments in (["subscribers", "import", "subscribers.csv"], ["compose", "minute", "--now"]):
        subprocess.run(command(root, *arguments), cwd=root, check=True, capture_output=True)
    return web_url


def _day_before_posts(now: datetime) -> date:
    """Return a day that began before the first posts, even just after midnight: editions omit posts before `starts`."""
    return (now - timedelta(hours=1)).date()


def write_post(root: Path, number: int, moment: datetime) -> None:
    title, body = POSTS[number % len(POSTS)]
    name, part = title.lower().replace(" ", "-"), number // len(POSTS)
    heading = f"{title}, part {part + 1}" if part else title
    text = f"---\ntitle: {heading}\ndate: {moment.isoformat()}\n---\n{body}\n"
    (root / "posts" / f"{number:04}-{name}.md").write_text(text)


def write_posts(root: Path, stop: Event) -> None:
    numbers = count(2)
    while not stop.wait(POST_INTERVAL):
        write_post(root, next(numbers), datetime.now(UTC))


def command(root: Path, *arguments: str) -> list[str]:
    return [sys.executable, "-m", "ketapress", "-C", str(root), *arguments]


def main() -> int:
    stop = Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    with ExitStack() as stack:
        root = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="ketapress-demo-")))
        handler = RelayHandler()
        port = free_port()
        relay = Controller(handler, hostname=HOST, port=port)
        relay.start()
        stack.callback(relay.stop)
        web_url = create_publication(root, port)
        page = stack.enter_context(serve_inbox(handler, f"{web_url}/"))
        print(f"the mail, as it arrives   {page}")
        print(f"the publication           {web_url}/")
        print(f"its folder                {root}")
        print(f"the relay                 smtp://{HOST}:{port}")
        print(f"its status                {sys.executable} -m ketapress -C {root} status")
        print("Ctrl-C ends the demo and removes its folder.\n", flush=True)
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

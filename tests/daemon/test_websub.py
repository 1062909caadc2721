"""WebSub: a real hub on a socket, which may be slow, broken or gone."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs

import pytest

from ketapress.daemon.websub_job import RETRY_PAUSES, WebSubJob
from ketapress.testing import StillClock
from support.cli_runner import ketapress
from support.daemon_process import InlineDaemon
from support.factories import NOW


class Hub(ThreadingHTTPServer):
    """Records requests, and answers with the status that a test sets."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _HubHandler)
        self.requests: list[dict[str, list[str]]] = []
        self.status = 204

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/publish"

    @property
    def topics(self) -> list[str]:
        return [form["hub.url"][0] for form in self.requests]


class _HubHandler(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        assert isinstance(self.server, Hub)
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        self.server.requests.append(parse_qs(body))
        self.send_response(self.server.status)
        self.send_header("Content-Length", "0")
        self.send_header("Location", "/elsewhere")
        self.end_headers()

    def log_message(self, *_arguments: object) -> None:
        """Log nothing."""


@pytest.fixture
def hub() -> Iterator[Hub]:
    with Hub() as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def inline_daemon(publication: Path, hub: Hub) -> InlineDaemon:
    toml = publication / "ketapress.toml"
    toml.write_text(f'{toml.read_text()}\n[feeds]\nhub = "{hub.url}"\n')
    ketapress(publication, "build", "--at", "2023-06-12T09:00")
    return InlineDaemon(publication, StillClock(NOW))


def test_the_hub_hears_of_each_feed_once_and_of_what_changed_then(
    inline_daemon: InlineDaemon, hub: Hub
) -> None:
    for _ in range(2):
        inline_daemon.daemon.notify_hub()
    assert hub.topics == [f"https://example.org/{name}" for name in ("feed.xml", "atom.xml", "feed.json")]
    assert hub.requests[0] == {
        "hub.mode": ["publish"],
        "hub.url": ["https://example.org/feed.xml"],
        "hub.topic": ["https://example.org/feed.xml"],
    }
    (inline_daemon.root / "posts" / "new.md").write_text(
        "---\ntitle: New\ndate: 2023-06-11\ntags: [Care]\n---\nNews.\n"
    )
    ketapress(inline_daemon.root, "build", "--at", "2023-06-12T10:00")
    hub.requests.clear()
    inline_daemon.daemon.notify_hub()
    assert hub.topics == [
        f"https://example.org/{name}" for name in ("feed.xml", "atom.xml", "feed.json", "tags/care/feed.xml")
    ]


def test_what_was_announced_is_known_after_a_restart(inline_daemon: InlineDaemon, hub: Hub) -> None:
    inline_daemon.daemon.notify_hub()
    hub.requests.clear()
    InlineDaemon(inline_daemon.root, StillClock(NOW)).daemon.notify_hub()
    assert hub.requests == []


@pytest.mark.parametrize("status", [500, 404, 302])
def test_a_hub_that_refuses_is_tried_again_later_each_time_and_said(
    inline_daemon: InlineDaemon, hub: Hub, status: int
) -> None:
    hub.status = status
    seconds = [0.0]
    job = WebSubJob(inline_daemon.daemon._context, lambda: seconds[0])
    for pause in RETRY_PAUSES:
        (problem,) = job()
        assert str(status) in problem.message
        attempt_count = len(hub.requests)
        seconds[0] += pause - 1
        assert [*job()] == [problem]
        assert len(hub.requests) == attempt_count
        seconds[0] += 1
    hub.status = 202
    assert [*job()] == []
    assert len(set(hub.topics)) == 3


def test_a_hub_that_is_gone_is_said_and_publishing_goes_on(inline_daemon: InlineDaemon, hub: Hub) -> None:
    toml = inline_daemon.root / "ketapress.toml"
    toml.write_text(toml.read_text().replace(hub.url, "http://127.0.0.1:1/"))
    inline_daemon.daemon.reload()
    inline_daemon.daemon.notify_hub()
    (message,) = inline_daemon.list_messages("hub")
    assert "http://127.0.0.1:1" in message
    inline_daemon.tick()
    assert inline_daemon.list_messages("composed")


def test_without_a_hub_nobody_is_told(publication: Path) -> None:
    inline_daemon = InlineDaemon(publication, StillClock(NOW))
    inline_daemon.tick()
    inline_daemon.daemon.notify_hub()
    assert not (publication / ".ketapress" / "announced.json").exists()

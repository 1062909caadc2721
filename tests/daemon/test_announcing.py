"""Telling a hub of news: a real one on a socket, which may be slow, broken or gone."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs

import pytest

from ketapress.daemon.websub_job import PAUSES, Announcing
from ketapress.testing import StillClock
from support.cli_runner import ketapress
from support.daemon_process import Ticking
from support.factories import NOW


class Hub(ThreadingHTTPServer):
    """Takes what it is told, with whatever status its test wants."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Listener)
        self.told: list[dict[str, list[str]]] = []
        self.status = 204

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/publish"

    @property
    def topics(self) -> list[str]:
        return [each["hub.url"][0] for each in self.told]


class _Listener(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        assert isinstance(self.server, Hub)
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        self.server.told.append(parse_qs(body))
        self.send_response(self.server.status)
        self.send_header("Content-Length", "0")
        self.send_header("Location", "/elsewhere")
        self.end_headers()

    def log_message(self, *_words: object) -> None:
        """Says nothing."""


@pytest.fixture
def hub() -> Iterator[Hub]:
    with Hub() as found:
        thread = threading.Thread(target=found.serve_forever)
        thread.start()
        yield found
        found.shutdown()
        thread.join()


@pytest.fixture
def built(publication: Path, hub: Hub) -> Ticking:
    toml = publication / "ketapress.toml"
    toml.write_text(f'{toml.read_text()}\n[feeds]\nhub = "{hub.url}"\n')
    ketapress(publication, "build", "--at", "2023-06-12T09:00")
    return Ticking(publication, StillClock(NOW))


def test_the_hub_hears_of_each_feed_once_and_of_what_changed_then(built: Ticking, hub: Hub) -> None:
    for _ in range(2):
        built.daemon.announce()
    assert hub.topics == [f"https://example.org/{name}" for name in ("feed.xml", "atom.xml", "feed.json")]
    assert hub.told[0] == {
        "hub.mode": ["publish"],
        "hub.url": ["https://example.org/feed.xml"],
        "hub.topic": ["https://example.org/feed.xml"],
    }
    (built.root / "posts" / "new.md").write_text(
        "---\ntitle: New\ndate: 2023-06-11\ntags: [Care]\n---\nNews.\n"
    )
    ketapress(built.root, "build", "--at", "2023-06-12T10:00")
    hub.told.clear()
    built.daemon.announce()
    assert hub.topics == [
        f"https://example.org/{name}" for name in ("feed.xml", "atom.xml", "feed.json", "tags/care/feed.xml")
    ]


def test_what_was_announced_is_known_after_a_restart(built: Ticking, hub: Hub) -> None:
    built.daemon.announce()
    hub.told.clear()
    Ticking(built.root, StillClock(NOW)).daemon.announce()
    assert hub.told == []


@pytest.mark.parametrize("status", [500, 404, 302])
def test_a_hub_that_refuses_is_tried_again_later_each_time_and_said(
    built: Ticking, hub: Hub, status: int
) -> None:
    hub.status = status
    clock = [0.0]
    announcing = Announcing(built.daemon._ground, lambda: clock[0])
    for pause in PAUSES:
        (problem,) = announcing()
        assert str(status) in problem.message
        tries = len(hub.told)
        clock[0] += pause - 1
        assert [*announcing()] == [problem]
        assert len(hub.told) == tries
        clock[0] += 1
    hub.status = 202
    assert [*announcing()] == []
    assert len(set(hub.topics)) == 3


def test_a_hub_that_is_gone_is_said_and_publishing_goes_on(built: Ticking, hub: Hub) -> None:
    toml = built.root / "ketapress.toml"
    toml.write_text(toml.read_text().replace(hub.url, "http://127.0.0.1:1/"))
    built.daemon.reload()
    built.daemon.announce()
    (said,) = built.heard("hub")
    assert "http://127.0.0.1:1" in said
    built.tick()
    assert built.heard("composed")


def test_without_a_hub_nobody_is_told(publication: Path) -> None:
    ticking = Ticking(publication, StillClock(NOW))
    ticking.tick()
    ticking.daemon.announce()
    assert not (publication / ".ketapress" / "announced.json").exists()

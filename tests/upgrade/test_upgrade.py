"""A publication of the first release works with this one: ids, database, templates, and the links in mail already sent.

`publication-0.1.tar.gz` was made by version 0.1.0: three subscribers, of whom one left after the first edition; that
edition, sent to all three; a second edition that is ready; and overrides of page and mail templates. The message is the
one that version 0.1.0 sent to Ann.
"""

import json
import re
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from ketapress.testing import ScriptedRelay
from support.cli_runner import hashes, ketapress
from support.web_fixture import run_web_server

HERE = Path(__file__).parent
MESSAGE = (HERE / "message-0.1.eml").read_text()
PAGES_WITH_NEW_SENTENCES = {"404.html", "subscribe.html", "tags/care/index.html", "tags/craft/index.html"}
LINKS = re.findall(r"^List-Unsubscribe: <https://letters\.example\.org(/[^>]+)>", MESSAGE, re.MULTILINE)


@pytest.fixture
def relay(monkeypatch: pytest.MonkeyPatch) -> Iterator[ScriptedRelay]:
    with ScriptedRelay() as relay:
        monkeypatch.setenv("RELAY", str(relay.url))
        yield relay


@pytest.fixture
def publication(tmp_path: Path, relay: ScriptedRelay) -> Path:
    with tarfile.open(HERE / "publication-0.1.tar.gz") as archive:
        archive.extractall(tmp_path, filter="data")
    return tmp_path


def feed_ids(root: Path) -> list[str]:
    return [item["id"] for item in json.loads((root / "public/feed.json").read_text())["items"]]


def test_the_site_stays_as_it_is_but_for_sentences(publication: Path) -> None:
    before = hashes(publication / "public")
    ids = (publication / "posts/.published.jsonl").read_bytes()

    outcome = ketapress(publication, "build", "--at", "2023-06-19T09:10")

    assert outcome.exit_code == 0, outcome.stderr
    after = hashes(publication / "public")
    assert after.keys() == before.keys()
    assert {path for path in after if after[path] != before[path]} <= PAGES_WITH_NEW_SENTENCES
    assert (publication / "posts/.published.jsonl").read_bytes() == ids


def test_pages_of_a_deleted_post_are_still_removed(publication: Path) -> None:
    (publication / "posts/second.md").unlink()

    ketapress(publication, "build", "--at", "2023-06-19T09:10")

    assert not (publication / "public/2023/second.html").exists()
    assert not (publication / "public/old/second/index.html").exists()
    assert (publication / "public/2023/ketamine-therapy.html").exists()


def test_an_edition_that_was_ready_is_sent_once_and_the_one_before_is_not(
    publication: Path, relay: ScriptedRelay
) -> None:
    for minute in (10, 20):
        outcome = ketapress(publication, "publish", "--at", f"2023-06-19T09:{minute}")
        assert outcome.exit_code == 0, outcome.stderr
        ketapress(publication, "send", "--at", f"2023-06-19T09:{minute + 1}")

    assert sorted(received.recipient for received in relay.messages) == ["ann@example.org", "bob@example.org"]
    assert all(b"Subject: Third" in received.message for received in relay.messages)


def test_a_link_in_a_message_already_sent_still_unsubscribes(publication: Path) -> None:
    with run_web_server(publication) as server:
        response = server.client.post(LINKS[0], data={"List-Unsubscribe": "One-Click"})
    assert response.status_code == 200

    subscribers = ketapress(publication, "subscribers", "list", "--json").result["subscribers"]
    states = {subscriber["address"]: subscriber["subscriptions"] for subscriber in subscribers}
    assert "left" in str(states["ann@example.org"])
    assert "active" in str(states["bob@example.org"])


@pytest.mark.parametrize("arguments", [("status",), ("outbox", "list"), ("queue",), ("check",)])
def test_every_report_still_works(publication: Path, arguments: tuple[str, ...]) -> None:
    outcome = ketapress(publication, *arguments, "--json")
    assert outcome.exit_code in {0, 1}, outcome.stderr
    assert outcome.document["schema"] == 1

"""Feed readers that people use subscribe to a magazine on this machine, and tell what arrived.

`reader` is a library that reads all three formats; newsboat and rss2email are programs of Debian that read XML.
"""

import mailbox
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from email import message_from_bytes
from email.policy import default as modern
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any

import feedparser
import pytest
from reader import make_reader

from ketapress.feeds.formats import Format
from support.site_server import publish_magazine, serve_folder

XML = pytest.mark.parametrize("path", ["feed.xml", "atom.xml"])
ARABIC = "ما الذي تعلّمته العيادة من الذين لم يعودوا إليها؟ (دراسة Follow-up جديدة)"
CHINESE = "诊所从那些没有再来的人身上学到了什么"
TITLES = {
    "2023/chinese.html": CHINESE,
    "2023/arabic.html": ARABIC,
    "2023/everything.html": "What a clinic learns from the people who do not come back",
    "2023/unbreakable.html": "A name that has no place to break",
    "2023/ketamine-therapy.html": "Ketamine Therapy",
}
"""What the newest posts of the magazine are called, by their pages."""
SAID = {
    "2023/arabic.html": "المريض الذي لا يجيب ليس غائبًا مصادفةً",
    "2023/chinese.html": "没有回答的病人并不是随机缺失的",
    "2023/everything.html": "They are missing for a reason, and the reason is the finding.",
}
MORNING = datetime(2023, 6, 11, 4, tzinfo=UTC)


@dataclass(frozen=True)
class Newsstand:
    """Where the magazine is served, and a folder that a client may write into."""

    url: str
    desk: Path


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    root = tmp_path_factory.mktemp("magazine") / "press"
    with serve_folder(root / "public") as url:
        publish_magazine(root, url)
        yield url


@pytest.fixture
def stand(address: str, tmp_path: Path) -> Newsstand:
    return Newsstand(address, tmp_path)


def run(*words: object, home: Path) -> str:
    command = [str(word) for word in words]
    environment = {"HOME": str(home), "PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8"}
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, env=environment)
    assert done.returncode == 0, done.stderr or done.stdout
    return done.stdout + done.stderr


def test_a_reader_of_all_formats_finds_the_same_in_each(stand: Newsstand, form: Format) -> None:
    with closing(make_reader(":memory:")) as reader:
        reader.add_feed(stand.url + form.path)
        assert reader.update_feed(stand.url + form.path)
        feed, entries = reader.get_feed(stand.url + form.path), list(reader.get_entries())
        assert reader.update_feed(stand.url + form.path) is None, "what did not change is fetched again"

    assert (feed.title, feed.link) == ("The Harbour Review", stand.url)
    found = {entry.link: entry for entry in entries}
    assert {link: entry.title for link, entry in found.items() if link in within(stand.url, TITLES)} == (
        within(stand.url, TITLES)
    )
    assert {entry.id for entry in entries} == {entry.link for entry in entries}
    for page, words in within(stand.url, SAID).items():
        content = found[page].get_content()
        assert content
        assert words in content.value
    assert found[f"{stand.url}2023/chinese.html"].published == MORNING


@pytest.mark.newsboat
@XML
def test_newsboat_keeps_titles_ids_dates_and_text(stand: Newsstand, path: str) -> None:
    (stand.desk / "urls").write_text(stand.url + path + "\n")
    command = ["newsboat", "-C", "/dev/null", "-u", stand.desk / "urls", "-c", stand.desk / "cache.db"]
    assert "rror" not in run(*command, "-x", "reload", home=stand.desk)

    with closing(sqlite3.connect(stand.desk / "cache.db")) as cache:
        titles = dict(cache.execute("SELECT url, title FROM rss_item"))
        ids = dict(cache.execute("SELECT url, guid FROM rss_item"))
        dates = dict(cache.execute("SELECT url, pubDate FROM rss_item"))
        texts = dict(cache.execute("SELECT url, content FROM rss_item"))
        feed = cache.execute("SELECT title, url FROM rss_feed").fetchall()
    assert feed == [("The Harbour Review", stand.url)]
    assert within(stand.url, TITLES).items() <= titles.items()
    assert ids == {url: url for url in titles}
    assert dates[f"{stand.url}2023/chinese.html"] == MORNING.timestamp()
    assert all(words in texts[page] for page, words in within(stand.url, SAID).items())


@pytest.mark.rss2email
@XML
def test_rss2email_mails_each_post_once(stand: Newsstand, path: str) -> None:
    settings = stand.desk / "r2e.cfg"
    settings.write_text(
        "[DEFAULT]\nto = reader@example.org\nfrom = r2e@example.org\nemail-protocol = maildir\n"
        f"maildir-path = {stand.desk}\nmaildir-mailbox = box\nhtml-mail = true\ndate-header = true\n"
    )
    command = ["r2e", "-c", settings, "-d", stand.desk / "r2e.json"]
    (box := mailbox.Maildir(stand.desk / "box")).close()
    run(*command, "add", "magazine", stand.url + path, home=stand.desk)
    run(*command, "run", home=stand.desk)
    run(*command, "run", home=stand.desk)

    mails = {mail["X-RSS-URL"]: mail for mail in map(parsed, box)}
    assert len(box) == len(mails)
    assert (
        within(stand.url, TITLES).items()
        <= {url: mail["Subject"].strip() for url, mail in mails.items()}.items()
    )
    assert {mail["X-RSS-ID"] for mail in mails.values()} == set(mails)
    date = parsedate_to_datetime(mails[f"{stand.url}2023/chinese.html"]["Date"])
    assert date.replace(tzinfo=UTC) == MORNING
    for page, words in within(stand.url, SAID).items():
        assert words in mails[page].get_content()


@XML
def test_who_asks_again_is_told_that_nothing_changed(stand: Newsstand, path: str) -> None:
    first = feedparser.parse(stand.url + path)

    assert feedparser.parse(stand.url + path, modified=first.modified).status == 304


def within(url: str, by_page: dict[str, str]) -> dict[str, str]:
    return {url + page: said for page, said in by_page.items()}


def parsed(mail: mailbox.MaildirMessage) -> Any:
    return message_from_bytes(mail.as_bytes(), policy=modern)

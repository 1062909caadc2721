"""For tests of what one subscriber gets: a daily newsletter, a daemon with a clock that stands still, and an inbox."""

import re
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from email import message_from_bytes, policy
from pathlib import Path

from ketapress.testing import ScriptedRelay, StillClock
from support.cli_runner import ketapress
from support.daemon_process import InlineDaemon

START = datetime(2023, 3, 1, 7, tzinfo=UTC)
DAY, HOUR, MINUTE = timedelta(days=1), timedelta(hours=1), timedelta(minutes=1)
_TITLE = re.compile(r"\bP\d{4}\b")
_SETTINGS = """
[site]
title = "The Example Press"
url = "https://example.org"
postal_address = "1 Example Street"

[posts]
publish_at = "06:00"

[newsletters.daily]
title = "The Daily"
schedule = "0 8 * * *"
starts = 2023-03-01
from = "daily@example.org"
{extra_settings}
[relay]
url = "{relay}"
"""


@dataclass
class Mailbox:
    """A publication with one subscriber, and the messages that reached her, by the titles of posts (`P0001`)."""

    root: Path
    relay: ScriptedRelay
    extra_settings: str = ""
    titles: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        (self.root / "posts").mkdir()
        text = _SETTINGS.format(relay=self.relay.url, extra_settings=self.extra_settings)
        (self.root / "ketapress.toml").write_text(text)
        ketapress(self.root, "subscribers", "add", "ann@example.net")
        self.start_daemon(START)

    def start_daemon(self, now: datetime) -> None:
        """Start a new daemon in place of the last one."""
        self.inline_daemon = InlineDaemon(self.root, StillClock(now))

    def tick(self, now: datetime | None = None) -> None:
        self.inline_daemon.tick(now)

    def tick_until(self, end: datetime, step: timedelta = HOUR) -> None:
        while self.inline_daemon.clock.now + step <= end:
            self.tick(self.inline_daemon.clock.now + step)

    def write_post(self, day: date | datetime, header: str = "") -> Path:
        """Write a new post with this date, and return its file."""
        title = f"P{len(self.titles):04}"
        self.titles.append(title)
        file = self.root / "posts" / f"{title.lower()}.md"
        file.write_text(f"---\ntitle: {title}\ndate: {day}\n{header}---\nThe body of the post of {day}.\n")
        return file

    @property
    def inbox(self) -> list[list[str]]:
        """The titles of the posts in each message, in the order of arrival."""
        return [_list_titles(received.message) for received in self.relay.messages]

    @property
    def edition_states(self) -> dict[str, str]:
        """The state of each composed edition."""
        result = ketapress(self.root, "outbox", "list", "--json").result
        return {entry["edition"]: entry["state"] for entry in result["editions"] if entry["state"]}


def _list_titles(message: bytes) -> list[str]:
    text = message_from_bytes(message, policy=policy.default).get_body(("plain",))
    assert text is not None
    return sorted(set(_TITLE.findall(text.get_content())))

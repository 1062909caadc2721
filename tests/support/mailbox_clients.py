"""For tests of what a reader gets: a daily newsletter, a daemon under a clock that stands still, one reader's inbox."""

import re
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from email import message_from_bytes, policy
from pathlib import Path

from ketapress.testing import ScriptedRelay, StillClock
from support.cli_runner import ketapress
from support.daemon_process import Ticking

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
{more}
[relay]
url = "{relay}"
"""


@dataclass
class Reader:
    """A publication with one reader, and everything that reached her, by the names of posts (`P0001`)."""

    root: Path
    relay: ScriptedRelay
    more: str = ""
    names: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        (self.root / "posts").mkdir()
        text = _SETTINGS.format(relay=self.relay.url, more=self.more)
        (self.root / "ketapress.toml").write_text(text)
        ketapress(self.root, "subscribers", "add", "ann@example.net")
        self.start(START)

    def start(self, at: datetime) -> None:
        """A daemon begins, whatever became of the one before."""
        self.press = Ticking(self.root, StillClock(at))

    def tick(self, at: datetime | None = None) -> None:
        self.press.tick(at)

    def go_on(self, until: datetime, step: timedelta = HOUR) -> None:
        """Ticks from now on, so often."""
        while self.press.clock.now + step <= until:
            self.tick(self.press.clock.now + step)

    def write(self, day: date | datetime, head: str = "") -> Path:
        """A new post, dated so."""
        name = f"P{len(self.names):04}"
        self.names.append(name)
        file = self.root / "posts" / f"{name.lower()}.md"
        file.write_text(f"---\ntitle: {name}\ndate: {day}\n{head}---\nThe body of the post of {day}.\n")
        return file

    @property
    def inbox(self) -> list[list[str]]:
        """For each mail, in the order in which they came, the posts that it holds."""
        return [_posts(each.message) for each in self.relay.messages]

    @property
    def states(self) -> dict[str, str]:
        """Each edition that was composed, and its state."""
        result = ketapress(self.root, "outbox", "list", "--json").result
        return {each["edition"]: each["state"] for each in result["editions"] if each["state"]}


def _posts(message: bytes) -> list[str]:
    text = message_from_bytes(message, policy=policy.default).get_body(("plain",))
    assert text is not None
    return sorted(set(_TITLE.findall(text.get_content())))

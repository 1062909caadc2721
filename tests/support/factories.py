"""Values for tests: whole and valid, with only what a test is about spelled out."""

import shutil
from datetime import UTC, date, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

from ketapress.model.address import Mailbox
from ketapress.model.edition import Display, Edition, EditionItem, Slot, Window
from ketapress.model.post import Post
from ketapress.model.settings import NewsletterSettings, Schedule, Settings, SiteSettings

REPOSITORY = Path(__file__).parents[2]
SEED = REPOSITORY / "seeds" / "000_4ad128b82f72c88a.txt"
TOML = """
[site]
title = "The Example Press"
url = "https://example.org"
description = "Notes from a small press."
timezone = "UTC"
postal_address = "The Example Press, 1 Example Street"

[newsletters.weekly]
title = "The Example Weekly"
schedule = "0 8 * * mon"
starts = 2023-06-05
from = "The Example Weekly <digest@example.org>"
"""
NOW = datetime(2023, 6, 12, 9, tzinfo=UTC)

SITE = SiteSettings(
    title="The Example Press", url="https://example.org", description="Notes from a small press."
)
WEEKLY = NewsletterSettings(
    name="weekly",
    title="The Example Weekly",
    schedule=Schedule("0 8 * * mon", "0 8 * * mon"),
    starts=date(2023, 6, 5),
    sender=Mailbox("The Example Weekly", "digest@example.org"),
)


def settings(**sections: Any) -> Settings:
    """Settings of a small publication with one newsletter, `weekly`."""
    return Settings(site=SITE, newsletters={"weekly": WEEKLY})._replace(**sections)


def post(name: str = "first", **values: Any) -> Post:
    """A post of 7 June 2023, published at six, unless something else is said."""
    moment = values.pop("date", datetime(2023, 6, 7, 6, tzinfo=UTC))
    url = values.pop("url", f"{moment.year}/{name}.html")
    defaults: dict[str, Any] = {
        "id": f"https://example.org/{url}",
        "path": f"{moment:%Y-%m-%d}-{name}.md",
        "url": url,
        "title": name.replace("-", " ").title(),
        "summary": f"A summary of {name}.",
        "html": f"<p>The body of {name}.</p>",
        "date": moment,
        "published": moment,
        "updated": moment,
        "sha256": sha256(name.encode()).hexdigest(),
    }
    return Post(**(defaults | values))


def edition(*posts: Post, newsletter: str = "weekly", at: datetime | None = None) -> Edition:
    """An edition that shows its posts in full, due on Monday, 12 June 2023, at 08:00 UTC."""
    at = at or datetime(2023, 6, 12, 8, tzinfo=UTC)
    slot = Slot(newsletter, f"{at:%Y-%m-%dT%H%M}", at)
    items = tuple(EditionItem(item_post, Display.FULL) for item_post in posts or (post(),))
    return Edition(slot=slot, window=Window(at - timedelta(days=7), at), items=items)


def new_publication(folder: Path) -> Path:
    """A publication folder with the seed as its one post and one weekly newsletter."""
    (folder / "posts").mkdir()
    shutil.copy(SEED, folder / "posts" / "2023-06-07-ketamine-therapy.txt")
    (folder / "ketapress.toml").write_text(TOML)
    return folder

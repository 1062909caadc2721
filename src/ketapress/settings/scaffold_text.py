"""The text of the files of a new publication: its settings and a first post. `scaffold` writes them."""

from datetime import datetime

_SETTINGS = """# docs/settings.md of Ketapress lists all settings with their defaults; `ketapress check` reports invalid ones.

[site]
title = "My publication"
url = "https://example.org"            # where public/ will be served
description = "One sentence that describes the publication."
language = "en"
timezone = "UTC"                       # the time zone of dates without a time: Europe/Berlin, America/New_York
postal_address = ""                    # many countries require one in bulk mail

[newsletters.weekly]
title = "My weekly"
schedule = "weekly {day} {hour:02}:00"       # or a cron expression: "0 8 * * mon"
starts = {today}                    # posts from before this day are not mailed
from = "My weekly <digest@example.org>"

[relay]
url = "smtp://localhost:2525"          # smtp+starttls://user:${{SMTP_PASSWORD}}@relay.example.org:587
"""

_POST = """---
title: Welcome
date: {today} 00:00
tags: [news]
---
This is the first post of a new publication. It is a plain file in `posts/`, and everything else is built from it:
a page, three feeds, and the next edition of the newsletter.

Add more files next to it. A post's date is in its header, its first line or its file name; `ketapress check` reports problems.
"""

GITIGNORE = """/public/
/outbox/
/ketapress.db*
"""


GITATTRIBUTES = "posts/.published.jsonl merge=union\n"
"""Two machines that add ids never conflict: git keeps the lines of both."""


def initial_settings(now: datetime) -> str:
    """Return a ketapress.toml whose newsletter was due within this hour, so that the first `publish` makes an edition."""
    return _SETTINGS.format(day=f"{now:%a}".lower(), hour=now.hour, today=now.date().isoformat())


def welcome_post(now: datetime) -> tuple[str, str]:
    """Return the file name and the text of a first post."""
    return f"{now.date().isoformat()}-welcome.md", _POST.format(today=now.date().isoformat())

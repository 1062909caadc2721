"""What a new publication begins with: its settings and a first post, as text. Pure; `folder` writes them."""

from datetime import datetime

_SETTINGS = """# All settings, with their defaults: docs/settings.md of Ketapress, or `ketapress check` when one is wrong.

[site]
title = "My publication"
url = "https://example.org"            # where public/ will be served
description = "One sentence on what it is about."
language = "en"
timezone = "UTC"                       # the zone of bare dates: Europe/Berlin, America/New_York
postal_address = ""                    # the law of many countries asks for it in mail

[newsletters.weekly]
title = "My weekly"
schedule = "weekly {day} {hour:02}:00"       # cron works too: "0 8 * * mon"
starts = {today}                    # nothing before this day goes out
from = "My weekly <digest@example.org>"

[relay]
url = "smtp://localhost:2525"          # smtp+starttls://user:${{SMTP_PASSWORD}}@relay.example.org:587
"""

_POST = """---
title: Welcome
date: {today} 00:00
tags: [news]
---
This is the first post of a new publication. It stands in `posts/` as a plain file, and everything else is made of it:
a page, three feeds, and the next edition of the newsletter.

Write another beside it. Its name or its first line says when it appears, and `ketapress check` says what is wrong.
"""

GITIGNORE = """/public/
/outbox/
/ketapress.db*
"""


GITATTRIBUTES = "posts/.published.jsonl merge=union\n"
"""Two machines that add ids never conflict: git keeps the lines of both."""


def initial_settings(now: datetime) -> str:
    """A ketapress.toml whose newsletter fell due within this hour, so that the first `publish` shows an edition."""
    return _SETTINGS.format(day=f"{now:%a}".lower(), hour=now.hour, today=now.date().isoformat())


def welcome_post(now: datetime) -> tuple[str, str]:
    """A first post: its file name and its text."""
    return f"{now.date().isoformat()}-welcome.md", _POST.format(today=now.date().isoformat())

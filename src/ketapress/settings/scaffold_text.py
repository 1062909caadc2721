"""The text of the settings and of .gitignore of a new publication. `scaffold` writes them."""

from datetime import datetime, timedelta

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
schedule = "weekly {day} 08:00"       # or a cron expression: "0 8 * * mon"
starts = {today}                    # posts from before this day are not mailed
from = "My weekly <digest@example.org>"

[relay]
url = "smtp://localhost:2525"          # smtp+starttls://user:${{SMTP_PASSWORD}}@relay.example.org:587
"""

GITIGNORE = """/public/
/outbox/
/ketapress.db*
"""


GITATTRIBUTES = "posts/.published.jsonl merge=union\n"
"""Two machines that add ids never conflict: git keeps the lines of both."""


def initial_settings(now: datetime) -> str:
    """Return a ketapress.toml whose first slot is six days ahead in every time zone, so that nothing is due until then."""
    yesterday = now - timedelta(days=1)
    return _SETTINGS.format(day=f"{yesterday:%a}".lower(), today=now.date().isoformat())

"""The settings of a new publication, as text."""

from datetime import datetime, timedelta

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
schedule = "weekly {day} 08:00"       # cron works too: "0 8 * * mon"
starts = {today}                    # nothing before this day goes out
from = "My weekly <digest@example.org>"

[relay]
url = "smtp://localhost:2525"          # smtp+starttls://user:${{SMTP_PASSWORD}}@relay.example.org:587
"""

GITIGNORE = """/public/
/outbox/
/ketapress.db*
"""


def initial_settings(now: datetime) -> str:
    """Return a ketapress.toml whose first slot is six days ahead in every time zone, so that nothing is due meanwhile."""
    yesterday = now - timedelta(days=1)
    return _SETTINGS.format(day=f"{yesterday:%a}".lower(), today=now.date().isoformat())

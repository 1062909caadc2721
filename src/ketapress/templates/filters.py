"""Filters for dates and schedules: `{{ post.date|day }}`, `{{ post.date|isoformat }}`, or both with `{{ post.date|dated }}`.

Lists under headings for years or months use `{{ post.date|month }}` and `{{ post.date|dated(short=true) }}`. The time zone
and the language are those of the `site` that every template is rendered with.
"""

from datetime import datetime

from jinja2 import pass_context
from jinja2.runtime import Context
from markupsafe import Markup

from ketapress.i18n.dates import format_day, format_instant, load_zone, month_name, render_time_element
from ketapress.i18n.schedules import humanize_schedule
from ketapress.model.settings import Schedule


@pass_context
def day_filter(context: Context, moment: datetime, timezone: str = "") -> str:
    """Format the day of an instant, by default in the site's time zone."""
    site = context["site"]
    return format_day(moment, timezone or site.timezone, site.language)


@pass_context
def month_filter(context: Context, moment: datetime) -> str:
    """Return the name of the month, for a list of one year."""
    site = context["site"]
    return month_name(moment, site.timezone, site.language)


@pass_context
def year_filter(context: Context, moment: datetime) -> int:
    """Return the year in the site's time zone."""
    return moment.astimezone(load_zone(context["site"].timezone)).year


@pass_context
def dated_filter(context: Context, moment: datetime, timezone: str = "", *, short: bool = False) -> Markup:
    """Return the day in a `time` element with the instant."""
    site = context["site"]
    html = render_time_element(moment, timezone or site.timezone, site.language, short=short)
    return Markup(html)  # noqa: S704 - it contains no text of an author


@pass_context
def isoformat_filter(context: Context, moment: datetime) -> str:
    """Format an instant in the site's time zone: `2023-06-07T08:00:00+02:00`."""
    return format_instant(moment, context["site"].timezone)


@pass_context
def spoken_filter(context: Context, schedule: Schedule, timezone: str = "") -> str:
    """Describe a schedule in words (`{{ newsletter.schedule|spoken(zone) }}`), by default in the site's time zone."""
    site = context["site"]
    return humanize_schedule(schedule.cron, timezone or site.timezone, site.language)

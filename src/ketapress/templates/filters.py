"""Instants as templates write them: `{{ post.date|day }}`, `{{ post.date|isoformat }}`, or both: `{{ post.date|dated }}`.

Lists that are headed by years or months need less: `{{ post.date|month }}`, `{{ post.date|dated(short=true) }}`. All take
the zone and the language from the `site` that every page and letter is filled with; what they write is `days`'.
"""

from datetime import datetime

from jinja2 import pass_context
from jinja2.runtime import Context
from markupsafe import Markup

from ketapress.i18n.dates import format_day, format_instant, load_zone, month_name, render_time_element


@pass_context
def day_filter(context: Context, moment: datetime, timezone: str = "") -> str:
    """The filter `day`: `written_day` in the site's language, and in its zone where none is given."""
    site = context["site"]
    return format_day(moment, timezone or site.timezone, site.language)


@pass_context
def month_filter(context: Context, moment: datetime) -> str:
    """The filter `month`: the name of the month, for a list of one year."""
    site = context["site"]
    return month_name(moment, site.timezone, site.language)


@pass_context
def year_filter(context: Context, moment: datetime) -> int:
    """The filter `year`."""
    return moment.astimezone(load_zone(context["site"].timezone)).year


@pass_context
def dated_filter(context: Context, moment: datetime, timezone: str = "", *, short: bool = False) -> Markup:
    """The filter `dated`: the day in a `time` element that holds the instant."""
    site = context["site"]
    return Markup(render_time_element(moment, timezone or site.timezone, site.language, short=short))  # noqa: S704 - see there


@pass_context
def isoformat_filter(context: Context, moment: datetime) -> str:
    """The filter `isoformat`: `written_instant` in the site's zone."""
    return format_instant(moment, context["site"].timezone)

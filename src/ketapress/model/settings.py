"""Every setting, declared once: its name, type, default, converter, and one sentence.

`converter` is a key of `settings.converters.CONVERTERS`, which turns a TOML value into the value below, or raises
ValueError with a sentence. docs/settings.md is printed from the same declarations.
"""

from collections.abc import Mapping
from datetime import date, time, timedelta
from types import MappingProxyType
from typing import Annotated, Any, NamedTuple

from ketapress.model.address import Mailbox
from ketapress.model.urls import is_loopback, join_url


class Setting(NamedTuple):
    """The declaration of a setting beside its type and its default.

    `key` is its name in the file where that is not a valid Python name (`from`).
    """

    description: str
    converter: str = "text"
    key: str = ""


class SettingSpec(NamedTuple):
    """A declared setting: `name` is that of the field, `key` that in the file; without a default it is required."""

    name: str
    key: str
    converter: str
    description: str
    is_required: bool
    default: Any


def setting_specs(section: type) -> tuple[SettingSpec, ...]:
    """Return the settings of a section in their order. Fields without a `Setting` are not settings."""
    defaults: Mapping[str, Any] = section._field_defaults  # type: ignore[attr-defined]  # of every named tuple
    specs = []
    for name, annotation in section.__annotations__.items():
        for setting in getattr(annotation, "__metadata__", ()):
            has_default = name in defaults
            specs.append(
                SettingSpec(
                    name,
                    setting.key or name,
                    setting.converter,
                    setting.description,
                    not has_default,
                    defaults.get(name),
                )
            )
    return tuple(specs)


class Author(NamedTuple):
    """`site.author`: the author of posts that name none."""

    name: Annotated[str, Setting("The author's name.")]
    email: Annotated[str, Setting("The author's address. Feeds do not contain it.", converter="address")] = ""


class SiteSettings(NamedTuple):
    """`[site]`: the publication."""

    title: Annotated[str, Setting("The publication's name, used in feeds, pages and mail.")]
    url: Annotated[
        str,
        Setting(
            "The address at which `public/` is served. Every link in feeds and mail starts with it.",
            converter="url",
        ),
    ]
    description: Annotated[str, Setting("One sentence that describes the publication.")] = ""
    language: Annotated[
        str,
        Setting(
            "The language of posts that name none, as a BCP 47 tag: `en`, `de-CH`, `ar`.",
            converter="language",
        ),
    ] = "en"
    timezone: Annotated[
        str, Setting("The IANA time zone of the pages, and of dates without a time.", converter="zone")
    ] = "UTC"
    author: Annotated[Author | None, Setting("The author of posts that name none.", converter="author")] = (
        None
    )
    postal_address: Annotated[
        str, Setting("Your postal address. Many countries require one in bulk mail.")
    ] = ""
    logo: Annotated[
        str, Setting("The absolute URL of an image for the masthead, PNG or JPEG.", converter="optional url")
    ] = ""
    accent: Annotated[
        str, Setting("The color of links and buttons, in six hexadecimal digits.", converter="color")
    ] = "#8a3b12"


class PostSettings(NamedTuple):
    """`[posts]`: when posts are published."""

    publish_at: Annotated[
        time,
        Setting(
            "The time of day, in the site's time zone, at which posts whose date has no time are published.",
            converter="clock",
        ),
    ] = time(6)
    late_posts: Annotated[
        timedelta,
        Setting(
            "How old the date of a new file may be for its post to go into an edition.",
            converter="duration",
        ),
    ] = timedelta(days=7)
    dates: Annotated[
        str,
        Setting(
            "The date of a post on pages and in feeds: `author`, as it was written, or `first seen`, when a post that "
            "appeared late was first seen.",
            converter="dates",
        ),
    ] = "author"


class FeedSettings(NamedTuple):
    """`[feeds]`: RSS, Atom and JSON feeds."""

    entries: Annotated[int, Setting("The number of posts in a feed, newest first.", converter="count")] = 50
    hub: Annotated[
        str, Setting("The WebSub hub that is notified when feeds change.", converter="optional url")
    ] = ""


class Schedule(NamedTuple):
    """A schedule as written in the settings, and its five-field cron expression."""

    text: str
    cron: str


class NewsletterSettings(NamedTuple):
    """`[newsletters.NAME]`: a named stream with a schedule, a selection of posts, a sender and a subject."""

    name: str
    title: Annotated[str, Setting("The name that subscribers see.")]
    schedule: Annotated[
        Schedule,
        Setting(
            "When editions are due: a cron expression, or `daily 08:00`, `weekly mon 08:00`, `monthly last fri 08:00`.",
            converter="schedule",
        ),
    ]
    starts: Annotated[date, Setting("The first day; posts from before it are not mailed.", converter="date")]
    sender: Annotated[
        Mailbox,
        Setting(
            "The sender of the mail, `Name <digest@example.org>`, at a domain that you own.",
            converter="mailbox",
            key="from",
        ),
    ]
    timezone: Annotated[
        str, Setting("The IANA time zone of the schedule. Default: `site.timezone`.", converter="zone")
    ] = ""
    reply_to: Annotated[
        str, Setting("The address for replies. Default: the sender.", converter="address")
    ] = ""
    unsubscribe_mailto: Annotated[
        str,
        Setting(
            "An address that accepts unsubscribe requests by mail. It is added to List-Unsubscribe only if set.",
            converter="address",
        ),
    ] = ""
    subject: Annotated[
        str,
        Setting(
            "The subject line: a Jinja template with `posts`, `newsletter`, `site` and `slot`.",
            converter="template",
        ),
    ] = "{{ posts[0].title }}{% if posts|length > 1 %} and {{ posts|length - 1 }} more{% endif %}"
    tags: Annotated[
        tuple[str, ...],
        Setting(
            "Only posts with at least one of these tags are selected. Default: all posts.", converter="texts"
        ),
    ] = ()
    send_within: Annotated[
        timedelta | None,
        Setting(
            "How late after its send time an edition may still be sent without a person. Default: until the next send time.",
            converter="optional duration",
        ),
    ] = None
    approval: Annotated[
        str,
        Setting(
            "`one`: a person approves each edition before it is sent. `none`: no approval.",
            converter="approval",
        ),
    ] = "none"
    theme: Annotated[
        str,
        Setting(
            "The design of the mail: `magazine`, `bulletin` (compact, for short news) or `letter` (plain).",
            converter="theme",
        ),
    ] = "magazine"
    font: Annotated[
        str, Setting("The typeface of text in Latin script: `serif` or `sans`.", converter="font")
    ] = "serif"
    max_bytes: Annotated[
        int,
        Setting(
            "The maximum size of the HTML part in bytes. Gmail clips messages larger than about 102 KB.",
            converter="bytes",
        ),
    ] = 92160


class DkimSettings(NamedTuple):
    """`relay.dkim`: DKIM signatures, for a relay that does not sign."""

    domain: Annotated[str, Setting("The signing domain (`d=` of the signature).")]
    selector: Annotated[str, Setting("The selector (`s=` of the signature).")]
    key_file: Annotated[
        str, Setting("The file with the private key in PEM, relative to the publication folder.")
    ]


class RelayUrl(NamedTuple):
    """The parts of a relay's URL. `security` is `none`, `starttls` or `tls`. `repr` omits the password."""

    host: str
    port: int
    security: str
    user: str = ""
    password: str = ""

    @property
    def is_local(self) -> bool:
        return is_loopback(self.host)

    def __repr__(self) -> str:
        return f"RelayUrl({self})"

    def __str__(self) -> str:
        scheme = {"none": "smtp", "starttls": "smtp+starttls", "tls": "smtps"}[self.security]
        return f"{scheme}://{self.user + '@' if self.user else ''}{self.host}:{self.port}"


class RelaySettings(NamedTuple):
    """`[relay]`: the SMTP server that mail is sent through."""

    url: Annotated[
        RelayUrl,
        Setting(
            "The SMTP server: `smtp://localhost:2525`, `smtp+starttls://user:${SMTP_PASSWORD}@host:587` or `smtps://…`.",
            converter="relay url",
        ),
    ] = RelayUrl("localhost", 2525, "none")
    connections: Annotated[int, Setting("The maximum number of open connections.", converter="count")] = 4
    rate: Annotated[
        float | None,
        Setting("The maximum number of messages per second. Default: no limit.", converter="optional rate"),
    ] = None
    warm_up: Annotated[
        date | None,
        Setting(
            "The first day of a new sender, in UTC: at most 200 messages on that day, twice as many on each day that follows, "
            "and no limit after two weeks.",
            converter="optional date",
        ),
    ] = None
    return_path: Annotated[
        str,
        Setting("The envelope sender. Default: the address of the newsletter's sender.", converter="address"),
    ] = ""
    in_doubt: Annotated[
        str,
        Setting(
            "What to do with a message whose reply was lost: `resend` (with the same Message-ID) or `hold`.",
            converter="in doubt",
        ),
    ] = "resend"
    durability: Annotated[
        str,
        Setting(
            "`power`: results survive a power failure. `process`: results survive a killed process; this is faster.",
            converter="durability",
        ),
    ] = "power"
    dkim: Annotated[
        DkimSettings | None,
        Setting(
            "DKIM signatures, for a relay that does not sign: { domain, selector, key_file }.",
            converter="dkim",
        ),
    ] = None


class DatabaseSettings(NamedTuple):
    """`[database]`: the database of editions, subscribers and deliveries."""

    url: Annotated[
        str,
        Setting(
            "The database: `sqlite:///FILE`, relative to the publication folder, or `postgresql+psycopg://…`.",
            converter="database url",
        ),
    ] = "sqlite:///ketapress.db"


class WebSettings(NamedTuple):
    """`[web]`: the web server for preferences and unsubscribe links."""

    url: Annotated[str, Setting("The public https address of the web server.", converter="optional url")] = ""
    host: Annotated[str, Setting("The address that the web server listens on.")] = "127.0.0.1"
    port: Annotated[int, Setting("The port that the web server listens on.", converter="port")] = 8025
    secret: Annotated[
        str,
        Setting(
            "The secret that signs links in mail, at least 32 characters long. Default: created on first use.",
            converter="secret",
        ),
    ] = ""
    previous_secrets: Annotated[
        tuple[str, ...], Setting("Earlier secrets. Links that they signed stay valid.", converter="secrets")
    ] = ()
    trusted_proxies: Annotated[
        tuple[str, ...], Setting("Addresses of proxies whose X-Forwarded-For is trusted.", converter="texts")
    ] = ()


class AlertSettings(NamedTuple):
    """`[alerts]`: notifications when something needs a person."""

    command: Annotated[
        tuple[str, ...],
        Setting(
            'A program and its arguments, `["/usr/local/bin/page", "ops"]`. It gets the alert as JSON on stdin.',
            converter="texts",
        ),
    ] = ()
    email: Annotated[
        str, Setting("The address that alerts are mailed to, through the relay.", converter="address")
    ] = ""
    after: Annotated[
        timedelta,
        Setting(
            "How long a relay or database may be unreachable before an alert is sent.", converter="duration"
        ),
    ] = timedelta(minutes=15)
    again: Annotated[
        timedelta,
        Setting("How long after an alert it is sent again, if the problem persists.", converter="duration"),
    ] = timedelta(days=1)


class Settings(NamedTuple):
    """All of `ketapress.toml`."""

    site: SiteSettings
    posts: PostSettings = PostSettings()
    feeds: FeedSettings = FeedSettings()
    newsletters: Mapping[str, NewsletterSettings] = MappingProxyType({})
    relay: RelaySettings = RelaySettings()
    database: DatabaseSettings = DatabaseSettings()
    web: WebSettings = WebSettings()
    alerts: AlertSettings = AlertSettings()

    def newsletter_zone(self, newsletter: NewsletterSettings) -> str:
        """Return the IANA time zone of a newsletter's schedule."""
        return newsletter.timezone or self.site.timezone

    @property
    def web_base_url(self) -> str:
        """The base URL of links in mail: `web.url`, or the site's URL where it is not set."""
        return self.web.url or self.site.url

    def page_url(self, path: str) -> str:
        """Return the full URL of a path of the site."""
        return join_url(self.site.url, path)

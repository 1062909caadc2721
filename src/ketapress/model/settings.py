"""Every setting, declared once: its name, type, default, how it is read, and one sentence.

`reads` names a reader of `settings/fields.py`, which turns what TOML holds into the value below and refuses the
rest with a sentence. The same declarations print docs/settings.md.
"""

from collections.abc import Mapping
from dataclasses import MISSING, dataclass, field
from datetime import date, time, timedelta
from typing import Any

from ketapress.model.address import Mailbox
from ketapress.model.urls import joined, on_this_machine


def setting(sentence: str, *, reads: str = "text", default: Any = MISSING, key: str = "") -> Any:
    """A dataclass field that carries its sentence and the name of its reader; without a default it is required.

    `key` is its name in the file where that is no Python name (`from`).
    """
    return field(default=default, metadata={"sentence": sentence, "reads": reads, "key": key})


@dataclass(frozen=True, slots=True)
class Author:
    """Who stands as the author where a post names none."""

    name: str = setting("The author's name.")
    email: str = setting("The author's address; it is not printed in feeds.", reads="address", default="")


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteSettings:
    """`[site]`: what the publication is."""

    title: str = setting("The publication's name, in feeds, pages and mail.")
    url: str = setting("Where `public/` is served; every link in feeds and mail begins with it.", reads="url")
    description: str = setting("One sentence on what it is about.", default="")
    language: str = setting(
        "The language of posts that name none, as BCP 47: `en`, `de-CH`, `ar`.",
        reads="language",
        default="en",
    )
    timezone: str = setting("The IANA zone of bare dates and of the pages.", reads="zone", default="UTC")
    author: Author | None = setting("Who writes, where a post does not say.", reads="author", default=None)
    postal_address: str = setting(
        "Where a letter reaches you; the law of many countries asks for it in mail.", default=""
    )
    logo: str = setting(
        "An absolute URL of a picture for the masthead, PNG or JPEG.", reads="optional url", default=""
    )
    accent: str = setting(
        "The colour of links and buttons, six hexadecimal digits.", reads="colour", default="#8a3b12"
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class PostSettings:
    """`[posts]`: how dates become instants."""

    publish_at: time = setting(
        "When a post with a bare date is published, in the site's zone.", reads="clock", default=time(6)
    )
    late_posts: timedelta = setting(
        "How far back a file that appears late may be dated and still go into an edition.",
        reads="duration",
        default=timedelta(days=7),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedSettings:
    """`[feeds]`: what readers poll."""

    entries: int = setting("How many of the newest posts a feed holds.", reads="count", default=50)
    hub: str = setting("A WebSub hub that is told when feeds change.", reads="optional url", default="")


@dataclass(frozen=True, slots=True)
class Schedule:
    """When a newsletter is due: what was written, and the five-field cron expression that it means."""

    text: str
    cron: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NewsletterSettings:
    """`[newsletters.NAME]`: a named stream with a schedule, a selection of posts, a sender and a subject."""

    name: str
    title: str = setting("What subscribers know it as.")
    schedule: Schedule = setting(
        "When it is due: cron, or `daily 08:00`, `weekly mon 08:00`, `monthly last fri 08:00`.",
        reads="schedule",
    )
    starts: date = setting("Nothing before this day's local midnight goes out.", reads="date")
    timezone: str = setting(
        "The IANA zone of the schedule; the site's where it is not set.", reads="zone", default=""
    )
    sender: Mailbox = setting(
        "Who the mail is from, `Name <digest@example.org>`, on a domain of yours.",
        reads="mailbox",
        key="from",
    )
    reply_to: str = setting("Where answers go, if not to the sender.", reads="address", default="")
    unsubscribe_mailto: str = setting(
        "An address that takes unsubscribe mails; its header part is there only when set.",
        reads="address",
        default="",
    )
    subject: str = setting(
        "The subject, a Jinja template that knows `posts`, `newsletter`, `site` and `slot`.",
        reads="template",
        default="{{ posts[0].title }}{% if posts|length > 1 %} and {{ posts|length - 1 }} more{% endif %}",
    )
    tags: tuple[str, ...] = setting(
        "Only posts with one of these tags; all where it is empty.", reads="texts", default=()
    )
    send_within: timedelta | None = setting(
        "How late an edition may still go out by itself; the time until the next slot where it is not set.",
        reads="optional duration",
        default=None,
    )
    approval: str = setting(
        "`none`, or `one`: a person approves each edition before it goes out.",
        reads="approval",
        default="none",
    )
    theme: str = setting(
        "How its mail looks: `magazine`, `bulletin` (short news, close together) or `letter` (plain).",
        reads="theme",
        default="magazine",
    )
    font: str = setting(
        "The face of its text in Latin letters: `serif` or `sans`.", reads="font", default="serif"
    )
    max_bytes: int = setting(
        "The largest HTML part in bytes; Gmail cuts mail off at about 102 KB.", reads="bytes", default=92160
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class DkimSettings:
    """`relay.dkim`: sign here, where the relay does not."""

    domain: str = setting("The signing domain, d= of the signature.")
    selector: str = setting("The selector, s= of the signature.")
    key_file: str = setting("The private key in PEM, relative to the publication folder.")


@dataclass(frozen=True, slots=True)
class RelayUrl:
    """A relay's URL in its parts. `security` is `none`, `starttls` or `tls`; `password` never shows in a repr."""

    host: str
    port: int
    security: str
    user: str = ""
    password: str = field(default="", repr=False)

    @property
    def local(self) -> bool:
        return on_this_machine(self.host)

    def __str__(self) -> str:
        scheme = {"none": "smtp", "starttls": "smtp+starttls", "tls": "smtps"}[self.security]
        return f"{scheme}://{self.user + '@' if self.user else ''}{self.host}:{self.port}"


@dataclass(frozen=True, slots=True, kw_only=True)
class RelaySettings:
    """`[relay]`: the SMTP server that takes our messages."""

    url: RelayUrl = setting(
        "`smtp://localhost:2525`, `smtp+starttls://user:${SMTP_PASSWORD}@host:587` or `smtps://…`.",
        reads="relay url",
        default=RelayUrl("localhost", 2525, "none"),
    )
    connections: int = setting("How many connections are open at once.", reads="count", default=4)
    rate: float | None = setting(
        "The most messages a second; no limit where it is not set.", reads="optional rate", default=None
    )
    warm_up: date | None = setting(
        "The day a new sender begins: 200 messages that day, each day twice as many, and after two weeks no limit. "
        "Days are those of UTC.",
        reads="optional date",
        default=None,
    )
    return_path: str = setting(
        "The envelope's sender; the newsletter's address where it is not set.", reads="address", default=""
    )
    in_doubt: str = setting(
        "What becomes of a message whose answer was lost: `resend` (with the same Message-ID) or `hold`.",
        reads="in doubt",
        default="resend",
    )
    durability: str = setting(
        "`power`: results outlive a power cut; `process`: they outlive a kill, and it is faster.",
        reads="durability",
        default="power",
    )
    dkim: DkimSettings | None = setting(
        "Signing, for relays that do not sign: { domain, selector, key_file }.", reads="dkim", default=None
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class DatabaseSettings:
    """`[database]`: where people and editions are kept."""

    url: str = setting(
        "`sqlite:///FILE` relative to the publication folder, or `postgresql+psycopg://…`.",
        reads="database url",
        default="sqlite:///ketapress.db",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class WebSettings:
    """`[web]`: the pages that need a process: sign-up, preferences, unsubscribe, the desk."""

    url: str = setting("Where the web door is reached from outside, https.", reads="optional url", default="")
    host: str = setting("The interface the web door listens on.", default="127.0.0.1")
    port: int = setting("The port the web door listens on.", reads="port", default=8025)
    secret: str = setting(
        "What links in mail are signed with, 32 characters or more; made at first use where it is not set.",
        reads="secret",
        default="",
    )
    previous_secrets: tuple[str, ...] = setting(
        "Earlier secrets whose links still work.", reads="secrets", default=()
    )
    trusted_proxies: tuple[str, ...] = setting(
        "Addresses whose X-Forwarded-For is believed.", reads="texts", default=()
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertSettings:
    """`[alerts]`: who is told when something needs a person."""

    command: tuple[str, ...] = setting(
        'A program and its words, `["/usr/local/bin/page", "ops"]`; it reads the alert as JSON on stdin.',
        reads="texts",
        default=(),
    )
    email: str = setting("An address that is written to, through the relay.", reads="address", default="")
    after: timedelta = setting(
        "How long a relay or database may be out of reach before somebody is told.",
        reads="duration",
        default=timedelta(minutes=15),
    )
    again: timedelta = setting(
        "How long after an alert the same thing, if it still stands, is told again.",
        reads="duration",
        default=timedelta(days=1),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """All of `ketapress.toml`."""

    site: SiteSettings
    posts: PostSettings = field(default_factory=PostSettings)
    feeds: FeedSettings = field(default_factory=FeedSettings)
    newsletters: Mapping[str, NewsletterSettings] = field(default_factory=dict)
    relay: RelaySettings = field(default_factory=RelaySettings)
    database: DatabaseSettings = field(default_factory=DatabaseSettings)
    web: WebSettings = field(default_factory=WebSettings)
    alerts: AlertSettings = field(default_factory=AlertSettings)

    def zone(self, newsletter: NewsletterSettings) -> str:
        """The IANA zone in which a newsletter's schedule is meant."""
        return newsletter.timezone or self.site.timezone

    @property
    def door(self) -> str:
        """Where links in mail lead: the web door, or the site where no door is set."""
        return self.web.url or self.site.url

    def page(self, path: str) -> str:
        """The full URL of a path of the site."""
        return joined(self.site.url, path)

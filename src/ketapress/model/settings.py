"""Every setting, declared once: its name, type, default, how it is read, and one sentence.

`reads` names a reader of `settings/fields.py`, which turns what TOML holds into the value below and refuses the
rest with a sentence. The same declarations print docs/settings.md.
"""

from collections.abc import Mapping
from datetime import date, time, timedelta
from types import MappingProxyType
from typing import Annotated, Any, NamedTuple

from ketapress.model.address import Mailbox
from ketapress.model.urls import is_loopback, join_url


class Setting(NamedTuple):
    """What is said of a setting beside its type and its default.

    `key` is its name in the file where that is no Python name (`from`).
    """

    sentence: str
    reads: str = "text"
    key: str = ""


class SettingSpec(NamedTuple):
    """A setting as it was declared: `name` is the field's, `key` the file's; without a default it is required."""

    name: str
    key: str
    converter: str
    description: str
    is_required: bool
    default: Any


def setting_specs(section: type) -> tuple[SettingSpec, ...]:
    """The settings of a section, in their order; fields that nothing is said of are no settings."""
    defaults: Mapping[str, Any] = section._field_defaults  # type: ignore[attr-defined]  # of every named tuple
    specs = []
    for name, annotation in section.__annotations__.items():
        for setting in getattr(annotation, "__metadata__", ()):
            has_default = name in defaults
            specs.append(
                SettingSpec(
                    name,
                    setting.key or name,
                    setting.reads,
                    setting.sentence,
                    not has_default,
                    defaults.get(name),
                )
            )
    return tuple(specs)


class Author(NamedTuple):
    """Who stands as the author where a post names none."""

    name: Annotated[str, Setting("The author's name.")]
    email: Annotated[str, Setting("The author's address; it is not printed in feeds.", reads="address")] = ""


class SiteSettings(NamedTuple):
    """`[site]`: what the publication is."""

    title: Annotated[str, Setting("The publication's name, in feeds, pages and mail.")]
    url: Annotated[
        str, Setting("Where `public/` is served; every link in feeds and mail begins with it.", reads="url")
    ]
    description: Annotated[str, Setting("One sentence on what it is about.")] = ""
    language: Annotated[
        str,
        Setting("The language of posts that name none, as BCP 47: `en`, `de-CH`, `ar`.", reads="language"),
    ] = "en"
    timezone: Annotated[str, Setting("The IANA zone of bare dates and of the pages.", reads="zone")] = "UTC"
    author: Annotated[Author | None, Setting("Who writes, where a post does not say.", reads="author")] = None
    postal_address: Annotated[
        str, Setting("Where a letter reaches you; the law of many countries asks for it in mail.")
    ] = ""
    logo: Annotated[
        str, Setting("An absolute URL of a picture for the masthead, PNG or JPEG.", reads="optional url")
    ] = ""
    accent: Annotated[
        str, Setting("The colour of links and buttons, six hexadecimal digits.", reads="colour")
    ] = "#8a3b12"


class PostSettings(NamedTuple):
    """`[posts]`: how dates become instants."""

    publish_at: Annotated[
        time, Setting("When a post with a bare date is published, in the site's zone.", reads="clock")
    ] = time(6)
    late_posts: Annotated[
        timedelta,
        Setting(
            "How far back a file that appears late may be dated and still go into an edition.",
            reads="duration",
        ),
    ] = timedelta(days=7)
    dates: Annotated[
        str,
        Setting(
            "The date of a post on pages and in feeds: `author`, as it was written, or `first seen`, when a post that "
            "appeared late was first seen.",
            reads="dates",
        ),
    ] = "author"


class FeedSettings(NamedTuple):
    """`[feeds]`: what readers poll."""

    entries: Annotated[int, Setting("How many of the newest posts a feed holds.", reads="count")] = 50
    hub: Annotated[str, Setting("A WebSub hub that is told when feeds change.", reads="optional url")] = ""


class Schedule(NamedTuple):
    """When a newsletter is due: what was written, and the five-field cron expression that it means."""

    text: str
    cron: str


class NewsletterSettings(NamedTuple):
    """`[newsletters.NAME]`: a named stream with a schedule, a selection of posts, a sender and a subject."""

    name: str
    title: Annotated[str, Setting("What subscribers know it as.")]
    schedule: Annotated[
        Schedule,
        Setting(
            "When it is due: cron, or `daily 08:00`, `weekly mon 08:00`, `monthly last fri 08:00`.",
            reads="schedule",
        ),
    ]
    starts: Annotated[date, Setting("Nothing before this day's local midnight goes out.", reads="date")]
    sender: Annotated[
        Mailbox,
        Setting(
            "Who the mail is from, `Name <digest@example.org>`, on a domain of yours.",
            reads="mailbox",
            key="from",
        ),
    ]
    timezone: Annotated[
        str, Setting("The IANA zone of the schedule; the site's where it is not set.", reads="zone")
    ] = ""
    reply_to: Annotated[str, Setting("Where answers go, if not to the sender.", reads="address")] = ""
    unsubscribe_mailto: Annotated[
        str,
        Setting(
            "An address that takes unsubscribe mails; its header part is there only when set.",
            reads="address",
        ),
    ] = ""
    subject: Annotated[
        str,
        Setting(
            "The subject, a Jinja template that knows `posts`, `newsletter`, `site` and `slot`.",
            reads="template",
        ),
    ] = "{{ posts[0].title }}{% if posts|length > 1 %} and {{ posts|length - 1 }} more{% endif %}"
    tags: Annotated[
        tuple[str, ...], Setting("Only posts with one of these tags; all where it is empty.", reads="texts")
    ] = ()
    send_within: Annotated[
        timedelta | None,
        Setting(
            "How late an edition may still go out by itself; the time until the next slot where it is not set.",
            reads="optional duration",
        ),
    ] = None
    approval: Annotated[
        str, Setting("`none`, or `one`: a person approves each edition before it goes out.", reads="approval")
    ] = "none"
    theme: Annotated[
        str,
        Setting(
            "How its mail looks: `magazine`, `bulletin` (short news, close together) or `letter` (plain).",
            reads="theme",
        ),
    ] = "magazine"
    font: Annotated[
        str, Setting("The face of its text in Latin letters: `serif` or `sans`.", reads="font")
    ] = "serif"
    max_bytes: Annotated[
        int, Setting("The largest HTML part in bytes; Gmail cuts mail off at about 102 KB.", reads="bytes")
    ] = 92160


class DkimSettings(NamedTuple):
    """`relay.dkim`: sign here, where the relay does not."""

    domain: Annotated[str, Setting("The signing domain, d= of the signature.")]
    selector: Annotated[str, Setting("The selector, s= of the signature.")]
    key_file: Annotated[str, Setting("The private key in PEM, relative to the publication folder.")]


class RelayUrl(NamedTuple):
    """A relay's URL in its parts. `security` is `none`, `starttls` or `tls`; `password` never shows in a repr."""

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
    """`[relay]`: the SMTP server that takes our messages."""

    url: Annotated[
        RelayUrl,
        Setting(
            "`smtp://localhost:2525`, `smtp+starttls://user:${SMTP_PASSWORD}@host:587` or `smtps://…`.",
            reads="relay url",
        ),
    ] = RelayUrl("localhost", 2525, "none")
    connections: Annotated[int, Setting("How many connections are open at once.", reads="count")] = 4
    rate: Annotated[
        float | None,
        Setting("The most messages a second; no limit where it is not set.", reads="optional rate"),
    ] = None
    warm_up: Annotated[
        date | None,
        Setting(
            "The day a new sender begins: 200 messages that day, each day twice as many, and after two weeks no limit. "
            "Days are those of UTC.",
            reads="optional date",
        ),
    ] = None
    return_path: Annotated[
        str, Setting("The envelope's sender; the newsletter's address where it is not set.", reads="address")
    ] = ""
    in_doubt: Annotated[
        str,
        Setting(
            "What becomes of a message whose answer was lost: `resend` (with the same Message-ID) or `hold`.",
            reads="in doubt",
        ),
    ] = "resend"
    durability: Annotated[
        str,
        Setting(
            "`power`: results outlive a power cut; `process`: they outlive a kill, and it is faster.",
            reads="durability",
        ),
    ] = "power"
    dkim: Annotated[
        DkimSettings | None,
        Setting("Signing, for relays that do not sign: { domain, selector, key_file }.", reads="dkim"),
    ] = None


class DatabaseSettings(NamedTuple):
    """`[database]`: where people and editions are kept."""

    url: Annotated[
        str,
        Setting(
            "`sqlite:///FILE` relative to the publication folder, or `postgresql+psycopg://…`.",
            reads="database url",
        ),
    ] = "sqlite:///ketapress.db"


class WebSettings(NamedTuple):
    """`[web]`: the pages that need a process: sign-up, preferences, unsubscribe, the desk."""

    url: Annotated[
        str, Setting("Where the web door is reached from outside, https.", reads="optional url")
    ] = ""
    host: Annotated[str, Setting("The interface the web door listens on.")] = "127.0.0.1"
    port: Annotated[int, Setting("The port the web door listens on.", reads="port")] = 8025
    secret: Annotated[
        str,
        Setting(
            "What links in mail are signed with, 32 characters or more; made at first use where it is not set.",
            reads="secret",
        ),
    ] = ""
    previous_secrets: Annotated[
        tuple[str, ...], Setting("Earlier secrets whose links still work.", reads="secrets")
    ] = ()
    trusted_proxies: Annotated[
        tuple[str, ...], Setting("Addresses whose X-Forwarded-For is believed.", reads="texts")
    ] = ()


class AlertSettings(NamedTuple):
    """`[alerts]`: who is told when something needs a person."""

    command: Annotated[
        tuple[str, ...],
        Setting(
            'A program and its words, `["/usr/local/bin/page", "ops"]`; it reads the alert as JSON on stdin.',
            reads="texts",
        ),
    ] = ()
    email: Annotated[str, Setting("An address that is written to, through the relay.", reads="address")] = ""
    after: Annotated[
        timedelta,
        Setting(
            "How long a relay or database may be out of reach before somebody is told.", reads="duration"
        ),
    ] = timedelta(minutes=15)
    again: Annotated[
        timedelta,
        Setting(
            "How long after an alert the same thing, if it still stands, is told again.", reads="duration"
        ),
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
        """The IANA zone in which a newsletter's schedule is meant."""
        return newsletter.timezone or self.site.timezone

    @property
    def web_base_url(self) -> str:
        """Where links in mail lead: the web door, or the site where no door is set."""
        return self.web.url or self.site.url

    def page_url(self, path: str) -> str:
        """The full URL of a path of the site."""
        return join_url(self.site.url, path)

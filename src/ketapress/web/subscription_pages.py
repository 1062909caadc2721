"""The pages that the door makes itself, filled from `templates/web/`: complete documents that fetch nothing.

In: settings, a `Fill`, what there is to say. Out: HTML in the site's language where we have its words, else in English.
They look like the archive, by its own style sheet, and hold no script.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from ketapress.i18n.web_messages import WebMessages, web_messages
from ketapress.model.language import text_direction
from ketapress.model.renderer import Renderer
from ketapress.model.settings import Settings
from ketapress.model.subscriber import Subscriber, SubscriptionState
from ketapress.site.pages import colors

_ENDED = SubscriptionState.LEFT


class Standing(NamedTuple):
    """One line of the preferences: a newsletter, and whether its mail goes to this reader."""

    subscription_id: int
    title: str
    subscribed: bool


class Pages(NamedTuple):
    """The pages of one publication, under the settings of this moment."""

    settings: Settings
    fill: Renderer

    def leave(self, reader: Subscriber, newsletter: str) -> str:
        """Asks whether it is meant: looking at a page changes nothing (link scanners look at all of them)."""
        said = self._words.leave_text.format(
            address=masked(reader.address), newsletter=self._title(newsletter)
        )
        return self._filled("leave.html", self._words.leave_title, text=said, button=self._words.leave)

    def left(self, newsletter: str) -> str:
        """Says that it is done; the same whether it was done now or long ago."""
        said = self._words.left_text.format(newsletter=self._title(newsletter))
        return self._message(self._words.left_title, said)

    def preferences(self, reader: Subscriber) -> str:
        """All that the reader is subscribed to, with a button beside each."""
        standings = tuple(
            Standing(each.id, self._title(each.newsletter), each.state is not _ENDED)
            for each in reader.subscriptions
        )
        active = sum(each.subscribed for each in standings)
        text = self._words.preferences_text if active else self._words.nothing
        return self._filled(
            "preferences.html",
            self._words.preferences_title,
            text=text.format(address=masked(reader.address)),
            standings=standings,
            active=active,
        )

    def nothing(self) -> str:
        """For a reader of whom nothing is known any more."""
        return self._message(self._words.preferences_title, self._words.nothing)

    def broken(self) -> str:
        return self._message(self._words.broken_title, self._words.broken_text)

    def lost(self) -> str:
        return self._message(self._words.lost_title, self._words.lost_text)

    def busy(self) -> str:
        return self._message(self._words.busy_title, self._words.busy_text)

    @property
    def _words(self) -> WebMessages:
        return web_messages(self.settings.site.language)

    def _title(self, newsletter: str) -> str:
        """What subscribers know a newsletter as; the site's name for one that is no longer in the settings."""
        found = self.settings.newsletters.get(newsletter)
        return found.title if found else self.settings.site.title

    def _message(self, title: str, text: str) -> str:
        return self._filled("message.html", title, text=text)

    def _filled(self, template: str, title: str, **values: Any) -> str:
        site, said = self.settings.site, self._words
        common: Mapping[str, Any] = {
            "site": site,
            "words": said,
            "title": title,
            "dir": text_direction(said.language),
            "home": self.settings.page_url(""),
            "style": self.fill("archive/style.css", colors(site.accent)),
        }
        return self.fill(f"web/{template}", {**common, **values})


def masked(address: str) -> str:
    """An address as its owner knows it again, and nobody else learns it: `a…@example.org`. A link may be forwarded.

    It breaks over no line (U+2060).
    """
    local, at, domain = address.rpartition("@")
    return f"{local[:1]}…\u2060{at}{domain}"


def subscription_of(reader: Subscriber, subscription_id: int) -> tuple[str, bool]:
    """The newsletter of one of the reader's subscriptions, and whether it has ended."""
    found = next(each for each in reader.subscriptions if each.id == subscription_id)
    return found.newsletter, found.state is _ENDED


def open_subscriptions(reader: Subscriber) -> Sequence[int]:
    return [each.id for each in reader.subscriptions if each.state is not _ENDED]

"""The pages that the program renders itself, from `templates/web/`: unsubscribe, preferences, and errors.

They are complete documents that load nothing and run no script, in the style of the site and in its language (English
where there is no translation).
"""

from typing import Any, NamedTuple

from ketapress.i18n.web_messages import WebMessages, web_messages
from ketapress.model.language import text_direction
from ketapress.model.renderer import Renderer
from ketapress.model.settings import Settings
from ketapress.model.subscriber import Subscriber, SubscriptionState
from ketapress.site.pages import colors


class PreferenceRow(NamedTuple):
    """A newsletter on the preferences page. Templates read these fields."""

    subscription_id: int
    title: str
    subscribed: bool


class SubscriptionPages(NamedTuple):
    """The pages of one publication. Each method returns HTML."""

    settings: Settings
    render: Renderer

    def render_unsubscribe_form(self, subscriber: Subscriber, newsletter: str) -> str:
        """Ask for confirmation: opening the page must change nothing, because link scanners open every link."""
        text = self._messages.leave_text.format(
            address=mask_address(subscriber.address), newsletter=self._get_title(newsletter)
        )
        return self._render_page(
            "leave.html", self._messages.leave_title, text=text, button=self._messages.leave
        )

    def render_unsubscribe_done(self, newsletter: str) -> str:
        """Confirm that the subscription has ended; the page is the same whether it ended now or before."""
        text = self._messages.left_text.format(newsletter=self._get_title(newsletter))
        return self._render_message(self._messages.left_title, text)

    def render_preferences(self, subscriber: Subscriber) -> str:
        """List the subscriptions, each with a button that ends it."""
        rows = tuple(
            PreferenceRow(
                subscription.id,
                self._get_title(subscription.newsletter),
                subscription.state is not SubscriptionState.LEFT,
            )
            for subscription in subscriber.subscriptions
        )
        active = sum(row.subscribed for row in rows)
        text = self._messages.preferences_text if active else self._messages.nothing
        return self._render_page(
            "preferences.html",
            self._messages.preferences_title,
            text=text.format(address=mask_address(subscriber.address)),
            standings=rows,
            active=active,
        )

    def render_no_subscriptions(self) -> str:
        """For a valid link whose subscriber was erased."""
        return self._render_message(self._messages.preferences_title, self._messages.nothing)

    def render_invalid_link(self) -> str:
        return self._render_message(self._messages.broken_title, self._messages.broken_text)

    def render_not_found(self) -> str:
        return self._render_message(self._messages.lost_title, self._messages.lost_text)

    def render_unavailable(self) -> str:
        return self._render_message(self._messages.busy_title, self._messages.busy_text)

    @property
    def _messages(self) -> WebMessages:
        return web_messages(self.settings.site.language)

    def _get_title(self, newsletter: str) -> str:
        """Return the title of a newsletter; the site's title where the settings do not name it any more."""
        newsletter_settings = self.settings.newsletters.get(newsletter)
        return newsletter_settings.title if newsletter_settings else self.settings.site.title

    def _render_message(self, title: str, text: str) -> str:
        return self._render_page("message.html", title, text=text)

    def _render_page(self, template: str, title: str, **values: Any) -> str:
        site, messages = self.settings.site, self._messages
        common = {
            "site": site,
            "words": messages,
            "title": title,
            "dir": text_direction(messages.language),
            "home": self.settings.page_url(""),
            "style": self.render("archive/style.css", colors(site.accent)),
        }
        return self.render(f"web/{template}", {**common, **values})


def mask_address(address: str) -> str:
    """Return an address that only its owner recognizes, as links may be forwarded: `a…@example.org`.

    A word joiner (U+2060) keeps it on one line.
    """
    local_part, sign, domain = address.rpartition("@")
    return f"{local_part[:1]}…\u2060{sign}{domain}"

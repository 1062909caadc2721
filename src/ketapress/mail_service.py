"""What one publication sends: its editions to everybody who is due, and a letter to one address for a try.

Wired from its settings, as `app` is, which makes it; each part is imported when it is first asked for.
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from ketapress.model.edition import StoredEdition
from ketapress.model.errors import ConfigurationError, Problem, RefusedError, UsageError
from ketapress.model.settings import NewsletterSettings, Settings

if TYPE_CHECKING:
    from ketapress.deliver.context import Road, Signing, Stamp
    from ketapress.deliver.report import EditionReport, Watch
    from ketapress.model.delivery import Recipient, Verdict
    from ketapress.model.message import MessageTemplate
    from ketapress.relay.dkim import SigningKey
    from ketapress.relay.rate_limit import Pace
    from ketapress.store.store import Store


class Mailing:
    """The way of a publication's letters to its relay."""

    def __init__(
        self, root: Path, settings: Settings, store: "Callable[[], Store]", secret: Callable[[], str]
    ) -> None:
        """The store is opened, and the secret read, when something has to be sent."""
        self._root = root
        self._settings = settings
        self._store = store
        self._secret = secret

    @cached_property
    def signing_key(self) -> "SigningKey | None":
        """What mail is signed with, where `relay.dkim` is set. Raises ConfigurationError with the file and the cure."""
        if self._settings.relay.dkim is None:
            return None
        from ketapress.relay.dkim import parsed_key

        name = self._settings.relay.dkim.key_file
        try:
            return parsed_key(self._settings.relay.dkim, (self._root / name).read_bytes())
        except (OSError, ValueError) as error:
            why = error.strerror if isinstance(error, OSError) else error
            raise ConfigurationError(
                Problem(
                    code="settings.dkim-key",
                    path=name,
                    message=f"`relay.dkim.key_file` cannot be used: {why}. Nothing was sent.",
                    cure="`openssl genrsa -out FILE 2048` makes a key; its public half belongs into the DNS.",
                )
            ) from None

    @cached_property
    def pace(self) -> "Pace":
        """What this process learnt of the relay and of the domains behind it."""
        from ketapress.relay.rate_limit import Pace

        return Pace(self._settings.relay.rate, self._settings.relay.connections)

    def send(
        self,
        clock: Callable[[], datetime],
        *,
        stop: Callable[[], bool],
        watch: "Watch | None" = None,
        heard: "Callable[[Verdict], None] | None" = None,
        doubted: Callable[[int], None] = lambda _count: None,
    ) -> tuple["EditionReport", ...]:
        """Delivers what is ready, until nothing is due. The caller holds the lock `send`; `heard` hears each reply.

        `doubted` is told how many messages a process that died was just sending.
        """
        from ketapress.deliver.logged_editions import RecordedEditions
        from ketapress.deliver.preflight import hold_changed, refuse_dead_links
        from ketapress.deliver.sender import Sender
        from ketapress.restore import refuse_older_copy

        refuse_older_copy(self._store(), self._root)
        refuse_dead_links(self._settings)
        held = hold_changed(self._root, self._store().editions, self._store().deliveries, clock())
        editions = RecordedEditions(self._store(), self._root, clock)
        sender = Sender(
            self._store().deliveries,
            editions,
            self._settings.newsletters,
            self._road(clock, stop, heard)._replace(doubted=doubted),
            watch=watch,
        )
        reports = sender.send()
        editions.ended(reports)
        return held + reports

    def send_test(
        self, newsletter: NewsletterSettings, letter: "MessageTemplate", address: str, now: datetime
    ) -> "Verdict":
        """Sends a letter to one address: nothing is recorded, and its links, signed with a throw-away secret, are dead."""
        import secrets

        from ketapress.deliver.one_recipient import send_trial
        from ketapress.deliver.preflight import refuse_dead_links
        from ketapress.model.address import parse_address
        from ketapress.model.delivery import Recipient

        refuse_dead_links(self._settings)
        try:
            reader = Recipient(subscription_id=0, address=parse_address(address))
        except ValueError as error:
            raise UsageError(
                Problem(code="address", message=f"{address!r}: {error}.", cure="Mend the address.")
            ) from None
        message = stamping(self._settings, secrets.token_hex(32))(letter, reader, newsletter, now)
        if self.signing_key:
            from ketapress.relay.dkim import unsigned

            field = unsigned(self.signing_key, message, now)
            message = [field.signed(self.signing_key.sign(field.digest)), *message]
        return send_trial(self._settings.relay, newsletter.sender.address, reader.address, message)

    def specimen(self, edition: StoredEdition) -> bytes:
        """The message as `message.eml` has it, from the letter in the store. RefusedError where there is none."""
        from ketapress.mail.digest import build_sample_message

        newsletter = self._settings.newsletters.get(edition.slot.newsletter)
        if newsletter is None or not edition.sizes:
            message = f"{edition.slot.edition} has no folder in outbox/, and its letter is not known here."
            cure = "Export it where it was composed."
            raise RefusedError(Problem(code="export.letter", message=message, cure=cure))
        return build_sample_message(
            self._store().editions.get_message_template(edition.id), self._settings, newsletter, edition.slot
        )

    def message_ids(self, edition: StoredEdition) -> Callable[[int], str | None]:
        """The Message-ID of an edition's message to a subscription: derived, so it is the same in every try.

        None where ketapress.toml no longer has the newsletter, whose sender's domain is a part of it, or where the
        letter is not known here.
        """
        from ketapress.mail.personalize import message_id

        newsletter = self._settings.newsletters.get(edition.slot.newsletter)
        if newsletter is None or not edition.sizes:
            return lambda _: None
        key, domain = self._store().editions.get_message_template(edition.id).key, newsletter.sender.domain
        return lambda subscription_id: message_id(key, subscription_id, domain)

    def _signing(self) -> "Signing | None":
        if self.signing_key is None:
            return None
        from ketapress.deliver.dkim_workers import Signer

        return Signer(self.signing_key)

    def _road(
        self,
        clock: Callable[[], datetime],
        stop: Callable[[], bool],
        heard: "Callable[[Verdict], None] | None",
    ) -> "Road":
        import secrets

        from ketapress.deliver.context import Road

        return Road(
            relay=self._settings.relay,
            stamp=stamping(self._settings, self._secret()),
            clock=clock,
            rng=secrets.SystemRandom(),
            stop=stop,
            pace=self.pace,
            signing=self._signing(),
            heard=heard or (lambda _verdict: None),
        )


def stamping(settings: Settings, secret: str) -> "Stamp":
    """How a letter becomes one recipient's message: with links to this publication's door, signed with this secret."""
    from ketapress.mail.personalize import merge_values, message_chunks

    def stamp(
        letter: "MessageTemplate", recipient: "Recipient", newsletter: NewsletterSettings, date: datetime
    ) -> Sequence[bytes]:
        domain, door = newsletter.sender.domain, settings.web_base_url
        return message_chunks(
            letter,
            merge_values(
                letter, recipient, sender_domain=domain, web_base_url=door, secret=secret, date=date
            ),
        )

    return stamp

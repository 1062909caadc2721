"""Deliver the editions of a publication, and send one test message. Each part is imported when it is first used."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING

from ketapress.model.edition import EditionState, StoredEdition
from ketapress.model.errors import ConfigurationError, Problem, RefusedError, UsageError
from ketapress.model.settings import NewsletterSettings, Settings
from ketapress.publication import Publication

if TYPE_CHECKING:
    from ketapress.deliver.context import DeliveryContext, MessageBuilder
    from ketapress.deliver.report import EditionReport, ProgressCallback
    from ketapress.model.delivery import Recipient, Verdict
    from ketapress.model.message import MessageTemplate
    from ketapress.relay.dkim import SigningKey


class MailService:
    """Mail of one publication."""

    def __init__(self, publication: Publication) -> None:
        self._publication = publication
        self._settings = publication.settings

    @cached_property
    def signing_key(self) -> "SigningKey | None":
        """The DKIM key, where `relay.dkim` is set. Raises ConfigurationError if it cannot be used."""
        if self._settings.relay.dkim is None:
            return None
        from ketapress.relay.dkim import parse_key

        file = self._settings.relay.dkim.key_file
        try:
            return parse_key(self._settings.relay.dkim, (self._publication.root / file).read_bytes())
        except (OSError, ValueError) as error:
            reason = error.strerror if isinstance(error, OSError) else error
            raise ConfigurationError(
                Problem(
                    code="settings.dkim-key",
                    path=file,
                    message=f"`relay.dkim.key_file` cannot be used: {reason}. Nothing was sent.",
                    cure="`openssl genrsa -out FILE 2048` makes a key; its public half belongs into the DNS.",
                )
            ) from None

    def send(
        self,
        clock: Callable[[], datetime],
        *,
        must_stop: Callable[[], bool],
        on_progress: "ProgressCallback | None" = None,
        on_verdict: "Callable[[Verdict], None] | None" = None,
        on_in_doubt: Callable[[int], None] = lambda _count: None,
    ) -> tuple["EditionReport", ...]:
        """Deliver what is ready until nothing is due. The caller has the lock `send`.

        `on_verdict` is called with the verdict on each reply, `on_in_doubt` with the number of messages that a dead
        process was sending.
        """
        from ketapress.deliver.logged_editions import LoggedEditions
        from ketapress.deliver.preflight import (
            hold_reserved_editions,
            hold_tampered_editions,
            refuse_dead_links,
        )
        from ketapress.deliver.sender import Sender
        from ketapress.restore import refuse_older_copy

        store, root = self._publication.store, self._publication.root
        refuse_older_copy(store, root)
        refuse_dead_links(self._settings)
        self._compare_with_inputs(clock())
        held = hold_reserved_editions(
            self._settings,
            store.editions,
            store.deliveries,
            store.subscribers.find_unreserved_address,
            clock(),
        )
        held += hold_tampered_editions(root, store.editions, store.deliveries, clock())
        editions = LoggedEditions(store, root, clock)
        context = self._delivery_context(clock, must_stop)._replace(on_in_doubt=on_in_doubt)
        if on_verdict:
            context = context._replace(on_verdict=on_verdict)
        reports = Sender(
            store.deliveries, editions, self._settings.newsletters, context, on_progress=on_progress
        ).send()
        editions.finish(reports)
        return held + reports

    def _compare_with_inputs(self, now: datetime) -> None:
        """Compare the READY editions that this folder composed with their inputs; an edition without posts is held.

        Nothing is compared while another process publishes, which does the same.
        """
        from ketapress.refresh import hold_for_fault, is_own, refresh_waiting

        publication = self._publication
        context = publication.compose_context
        ready_editions = [
            edition
            for edition in publication.store.editions.list_sendable(now)
            if edition.state is EditionState.READY and is_own(context, edition)
        ]
        if not ready_editions:
            return
        with suppress(RefusedError), publication.exclusive_lock("publish"):
            try:
                library = publication.load_library(now, save_ids=False)
            except ConfigurationError as error:
                for edition in ready_editions:
                    hold_for_fault(context, edition, error.problems[0].message.rstrip("."), now)
            else:
                refresh_waiting(context, library, now)

    def _delivery_context(
        self, clock: Callable[[], datetime], must_stop: Callable[[], bool]
    ) -> "DeliveryContext":
        import secrets

        from ketapress.deliver.context import DeliveryContext
        from ketapress.deliver.dkim_workers import DkimSigner
        from ketapress.relay.rate_limit import RelayLimits

        relay = self._settings.relay
        return DeliveryContext(
            relay=relay,
            build_message=_message_builder(self._settings, self._publication.secret),
            clock=clock,
            rng=secrets.SystemRandom(),
            must_stop=must_stop,
            limits=RelayLimits(relay.rate, relay.connections),
            signer=DkimSigner(self.signing_key) if self.signing_key else None,
        )

    def send_test(
        self, newsletter: NewsletterSettings, template: "MessageTemplate", address: str, now: datetime
    ) -> "Verdict":
        """Send one message to one address. Nothing is recorded; links are signed with a random key and lead nowhere."""
        import secrets

        from ketapress.deliver.one_recipient import send_to_one
        from ketapress.deliver.preflight import refuse_dead_links, refuse_reserved_test
        from ketapress.model.address import parse_address
        from ketapress.model.delivery import Recipient

        refuse_dead_links(self._settings)
        try:
            recipient = Recipient(subscription_id=0, address=parse_address(address))
        except ValueError as error:
            raise UsageError(
                Problem(code="address", message=f"{address!r}: {error}.", cure="Correct the address.")
            ) from None
        refuse_reserved_test(self._settings, newsletter, recipient.address)
        build_message = _message_builder(self._settings, secrets.token_hex(32))
        message = build_message(template, recipient, newsletter, now)
        if self.signing_key:
            from ketapress.relay.dkim import prepare_signature

            pending = prepare_signature(self.signing_key, message, now)
            message = [pending.complete(self.signing_key.sign(pending.digest)), *message]
        return send_to_one(self._settings.relay, newsletter.sender.address, recipient.address, message)

    def sample_message(self, edition: StoredEdition) -> bytes:
        """Return what `message.eml` in the outbox holds, from the store. Raises RefusedError if it is not there."""
        from ketapress.mail.digest import build_sample_message

        newsletter = self._settings.newsletters.get(edition.slot.newsletter)
        if newsletter is None or not edition.sizes:
            raise RefusedError(
                Problem(
                    code="export.letter",
                    message=f"{edition.slot.edition} has no folder in outbox/, and its message is not in the database.",
                    cure="Export it where it was composed.",
                )
            )
        template = self._publication.store.editions.get_message_template(edition.id)
        return build_sample_message(template, self._settings, newsletter, edition.slot)

    def message_ids(self, edition: StoredEdition) -> Callable[[int], str | None]:
        """Return a function from a subscription to the Message-ID of the edition's message: the same in every attempt.

        The Message-ID is None where ketapress.toml no longer has the newsletter, whose domain it contains, or where
        the message is not in the database.
        """
        from ketapress.mail.personalize import message_id

        newsletter = self._settings.newsletters.get(edition.slot.newsletter)
        if newsletter is None or not edition.sizes:
            return lambda _subscription_id: None
        key = self._publication.store.editions.get_message_template(edition.id).key
        return lambda subscription_id: message_id(key, subscription_id, newsletter.sender.domain)


def _message_builder(settings: Settings, secret: str) -> "MessageBuilder":
    """Return a function that personalizes a message, with links to this publication that are signed with the secret."""
    from ketapress.mail.personalize import merge_values, message_chunks

    def build_message(
        template: "MessageTemplate", recipient: "Recipient", newsletter: NewsletterSettings, date: datetime
    ) -> Sequence[bytes]:
        values = merge_values(
            template,
            recipient,
            sender_domain=newsletter.sender.domain,
            web_base_url=settings.web_base_url,
            secret=secret,
            date=date,
        )
        return message_chunks(template, values)

    return build_message

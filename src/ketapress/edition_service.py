"""Compose, preview and refresh the editions of a publication. Each part is imported when it is first used."""

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from ketapress.build_service import BuildService
from ketapress.model.edition import WAITING_STATES, EditionState, Slot, StoredEdition
from ketapress.model.errors import Problem, UsageError
from ketapress.model.settings import NewsletterSettings
from ketapress.publication import Publication
from ketapress.settings.loader import SETTINGS_FILE

if TYPE_CHECKING:
    from ketapress.builder.builder import BuildReport
    from ketapress.compose import ComposedEdition, ComposeReport
    from ketapress.model.message import MessageTemplate
    from ketapress.posts.library import Library


class EditionService:
    """Editions of one publication."""

    def __init__(self, publication: Publication) -> None:
        self._publication = publication

    def find_slot(self, edition: str) -> tuple[NewsletterSettings | None, Slot]:
        """Return the newsletter and slot of an edition (`weekly/2023-06-12T0800`), stored or coming.

        The newsletter is None where only the store knows it. Raises UsageError if there is no such slot.
        """
        from ketapress.editions.slots import is_scheduled, parse_slot_key

        settings, store = self._publication.settings, self._publication.store
        name, _, key = edition.partition("/")
        if name not in settings.newsletters and (stored := store.editions.get(name, key)):
            return None, stored.slot
        (newsletter,) = self._publication.newsletters(name)
        zone = settings.newsletter_zone(newsletter)
        slot = parse_slot_key(name, key, zone)
        if slot and (is_scheduled(slot, newsletter.schedule.cron, zone) or store.editions.get(name, key)):
            return newsletter, slot
        raise UsageError(
            Problem(
                code="edition.name",
                message=f"{edition!r} names no slot of {name}, which is due {newsletter.schedule.text!r}.",
                cure="`ketapress queue` shows the slots to come, `ketapress outbox list` the editions there are.",
            )
        )

    def compose(
        self, library: "Library", now: datetime, name: str | None, *, immediately: bool = False, dry_run: bool
    ) -> "ComposeReport":
        """Compose what is due for all newsletters or one; `immediately` composes one outside its schedule.

        Editions that wait are compared with their inputs first.
        """
        from ketapress.compose import ComposeReport, compose, compose_now
        from ketapress.refresh import refresh_waiting
        from ketapress.restore import refuse_older_copy
        from ketapress.settings.schedule_history import save_schedules

        publication = self._publication
        refuse_older_copy(publication.store, publication.root)
        newsletters, context = publication.newsletters(name), publication.compose_context
        report = ComposeReport(problems=refresh_waiting(context, library, now, dry_run=dry_run))
        if immediately:
            return report + compose_now(context, library.posts, newsletters[0], now, dry_run=dry_run)
        report += compose(context, library.posts, newsletters, now, dry_run=dry_run)
        if not dry_run and name is None:
            save_schedules(publication.root, publication.settings)
        return report

    def publish(
        self, library: "Library", now: datetime, *, dry_run: bool
    ) -> tuple["ComposeReport", "BuildReport"]:
        """Compose what is due, then build the site, which includes the pages of the new editions."""
        composed = self.compose(library, now, None, dry_run=dry_run)
        return composed, BuildService(self._publication).build(library, now, dry_run=dry_run)

    def refresh(self, edition: StoredEdition, now: datetime, *, dry_run: bool) -> "ComposedEdition":
        """Render an edition again that was sent to no subscriber."""
        from ketapress.refresh import refresh_edition

        posts = self._publication.load_library(now, save_ids=False).posts
        return refresh_edition(self._publication.compose_context, posts, edition, now, dry_run=dry_run)

    def list_to_review(self) -> tuple[StoredEdition, ...]:
        """Return the editions that are held or need approval."""
        editions = self._publication.store.editions.list_all()
        return tuple(edition for edition in editions if edition.state in WAITING_STATES)

    def write_preview(self, edition: "ComposedEdition") -> Path:
        """Write an edition that is not stored below .ketapress/ and return its folder."""
        from ketapress.compose import write_preview

        return write_preview(self._publication.compose_context, edition)

    def preview_stamps(self) -> dict[str, str]:
        """Return the stamps of all inputs of the next edition: posts, ids, templates, settings, past editions."""
        from ketapress.posts.identity.registry import LEARNED_REGISTRY
        from ketapress.posts.identity.registry_text import TRACKED_REGISTRY
        from ketapress.system.file_stamp import stamp, tree_stamps
        from ketapress.templates.sources import template_folders

        root = self._publication.root
        files = (SETTINGS_FILE, TRACKED_REGISTRY, LEARNED_REGISTRY)
        stamps = {file: stamp(str(root / file)) for file in files}
        for folder in (root / "posts", root / "outbox", *template_folders(root)):
            stamps |= tree_stamps("", str(folder))
        return stamps

    def find_test_message(
        self, newsletter: NewsletterSettings, library: "Library", now: datetime
    ) -> "tuple[str, MessageTemplate | None]":
        """Return the newest edition that is not yet being sent, else the next one: its name and its message."""
        from ketapress.check.queue import compose_next_edition

        editions = self._publication.store.editions
        for edition in editions.list_all(newsletter.name):
            if edition.state is EditionState.READY or edition.state in WAITING_STATES:
                return edition.slot.edition, editions.get_message_template(edition.id)
        upcoming = compose_next_edition(self._publication.compose_context, newsletter, library.posts, now)
        if upcoming is None:
            return "", None
        return upcoming.edition.slot.edition, upcoming.digest.message_template

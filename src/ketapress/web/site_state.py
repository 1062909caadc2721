"""The publication as the door sees it: what is read again at a reload, in one value that is swapped as a whole."""

from pathlib import Path
from typing import NamedTuple, Self

from ketapress.model.settings import Settings
from ketapress.publication import Publication
from ketapress.store.store import Store
from ketapress.templates.environment import Templates
from ketapress.web.subscription_pages import Pages


class Site(NamedTuple):
    """Settings, the secrets that links may be signed with, the store, and the pages."""

    root: Path
    settings: Settings
    secrets: tuple[str, ...]
    store: Store
    pages: Pages

    @classmethod
    def of(cls, publication: Publication) -> Self:
        """Everything is opened now, so that what is wrong is said now. The publication stays the caller's to close."""
        settings = publication.settings
        return cls(
            root=publication.root,
            settings=settings,
            secrets=(publication.secret, *settings.web.previous_secrets),
            store=publication.store,
            pages=Pages(settings, Templates(publication.root)),
        )

    def close(self) -> None:
        self.store.close()

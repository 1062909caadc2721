"""What requests need of the publication, as one value that a reload replaces."""

from pathlib import Path
from typing import NamedTuple, Self

from ketapress.model.settings import Settings
from ketapress.publication import Publication
from ketapress.store.store import Store
from ketapress.templates.environment import Templates
from ketapress.web.subscription_pages import SubscriptionPages


class SiteState(NamedTuple):
    """The settings, the secrets that may have signed links, the store, and the pages."""

    root: Path
    settings: Settings
    secrets: tuple[str, ...]
    store: Store
    pages: SubscriptionPages

    @classmethod
    def load(cls, publication: Publication) -> Self:
        """Open everything at once, so that errors show before the first request. Raises KetapressError.

        The caller closes the publication.
        """
        settings = publication.settings
        return cls(
            root=publication.root,
            settings=settings,
            secrets=(publication.secret, *settings.web.previous_secrets),
            store=publication.store,
            pages=SubscriptionPages(settings, Templates(publication.root)),
        )

    def close(self) -> None:
        self.store.close()

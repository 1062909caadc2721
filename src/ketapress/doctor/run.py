"""All of it, in the order in which one would mend it: the machine, the books, the relay, the sender's domain."""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from pathlib import Path

from ketapress.doctor.database import book_findings
from ketapress.doctor.finding import Finding, error, well
from ketapress.doctor.mail_dns import Dns, domain_findings
from ketapress.doctor.relay import relay_findings
from ketapress.doctor.system import folder_findings
from ketapress.model.errors import KetapressError, Problem
from ketapress.model.settings import DkimSettings, Settings
from ketapress.settings.loader import NAME
from ketapress.store.store import Store


def examination(
    root: Path,
    settings: Settings,
    store: Callable[[], Store] | None,
    unbalanced: Callable[[Store], Sequence[Problem]],
    dns: Dns,
    selectors: Sequence[str],
    now: datetime,
) -> tuple[Finding, ...]:
    """Every finding. `store` opens the database, None where there is none yet.

    `unbalanced` is what breaks its conservation law; `selectors` are DKIM's, of the relay.
    """
    senders = {each.sender.domain: None for each in settings.newsletters.values()}
    names = ", ".join(settings.newsletters) or "none yet"
    found = [
        well("settings", f"{NAME} is understood; newsletters: {names}."),
        *folder_findings(root, settings, now),
    ]
    if store:
        found += _books(root, store, unbalanced, now)
    found += relay_findings(settings.relay.url, next(iter(senders), "localhost"))
    for domain in senders:
        return_path = settings.relay.return_path.rpartition("@")[2] or domain
        found += domain_findings(domain, return_path, _signatures(settings, selectors, domain), dns)
    return tuple(found)


def _books(
    root: Path, store: Callable[[], Store], unbalanced: Callable[[Store], Sequence[Problem]], now: datetime
) -> Iterator[Finding]:
    try:
        opened = store()
        yield from book_findings(root, opened, unbalanced(opened), now)
    except KetapressError as fault:
        yield from (error("database", each.message, each.cure) for each in fault.problems)


def _signatures(settings: Settings, selectors: Sequence[str], domain: str) -> tuple[DkimSettings, ...]:
    """What is known of the signatures: our own by the settings, the relay's by the selectors that were named."""
    own = (settings.relay.dkim,) if settings.relay.dkim else ()
    return own + tuple(DkimSettings(domain=domain, selector=each, key_file="") for each in selectors)

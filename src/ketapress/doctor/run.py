"""Run all checks, in the order in which to fix problems: machine, database, relay, DNS of the sender's domain."""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from pathlib import Path

from ketapress.doctor.database import check_store
from ketapress.doctor.finding import Finding, error, ok
from ketapress.doctor.mail_dns import Resolver, check_sender_domain
from ketapress.doctor.relay import check_relay
from ketapress.doctor.system import check_machine
from ketapress.model.errors import KetapressError, Problem
from ketapress.model.settings import DkimSettings, Settings
from ketapress.settings.loader import SETTINGS_FILE
from ketapress.store.store import Store


def run_checks(
    root: Path,
    settings: Settings,
    open_store: Callable[[], Store] | None,
    find_violations: Callable[[Store], Sequence[Problem]],
    dns: Resolver,
    selectors: Sequence[str],
    now: datetime,
) -> tuple[Finding, ...]:
    """Return all findings. `open_store` is None where there is no database yet.

    `find_violations` checks the invariants of the store; `selectors` are the DKIM selectors of the relay.
    """
    senders = {newsletter.sender.domain: None for newsletter in settings.newsletters.values()}
    newsletter_names = ", ".join(settings.newsletters) or "none"
    findings = [
        ok("settings", f"{SETTINGS_FILE} is valid; newsletters: {newsletter_names}."),
        *check_machine(root, settings, now),
    ]
    if open_store:
        findings += _check_store(root, open_store, find_violations, now)
    findings += check_relay(settings.relay.url, next(iter(senders), "localhost"))
    for domain in senders:
        return_path = settings.relay.return_path.rpartition("@")[2] or domain
        findings += check_sender_domain(domain, return_path, _dkim_keys(settings, selectors, domain), dns)
    return tuple(findings)


def _check_store(
    root: Path,
    open_store: Callable[[], Store],
    find_violations: Callable[[Store], Sequence[Problem]],
    now: datetime,
) -> Iterator[Finding]:
    try:
        store = open_store()
        yield from check_store(root, store, find_violations(store), now)
    except KetapressError as failure:
        yield from (error("database", problem.message, problem.cure) for problem in failure.problems)


def _dkim_keys(settings: Settings, selectors: Sequence[str], domain: str) -> tuple[DkimSettings, ...]:
    """Return the known DKIM keys: our own from the settings, the relay's by the given selectors."""
    configured_keys = (settings.relay.dkim,) if settings.relay.dkim else ()
    return configured_keys + tuple(
        DkimSettings(domain=domain, selector=selector, key_file="") for selector in selectors
    )

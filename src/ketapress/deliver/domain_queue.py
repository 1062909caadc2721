"""Claimed deliveries, queued by recipient domain. The next one is for the domain with the fewest open connections.

Pure. Each operation takes the same time, however many domains there are.
"""

from collections import OrderedDict, deque
from collections.abc import Iterable

from ketapress.model.delivery import Fault, Recipient, Verdict
from ketapress.relay.rate_limit import RelayLimits


class DomainQueue:
    """The claimed deliveries of one session that are not being sent yet."""

    def __init__(self, limits: RelayLimits) -> None:
        self._limits = limits
        self._recipients: dict[str, deque[Recipient]] = {}
        self._ready: list[OrderedDict[str, None]] = [OrderedDict() for _ in range(limits.connections)]
        """Domains that may have one more connection, indexed by the number of connections that they have."""
        self._ready_index: dict[str, int] = {}
        """For each of those domains its index."""
        self._delayed_until: dict[str, float] = {}
        """For each other domain that only has to wait, until when."""
        self._size = 0

    def __len__(self) -> int:
        return self._size

    @property
    def needs_more_domains(self) -> bool:
        """Whether the next delivery would be for a domain that already has half of the connections."""
        return not any(self._ready[: max(1, self._limits.connections // 2)])

    def extend(self, recipients: Iterable[Recipient], now: float) -> None:
        domains = set()
        for recipient in recipients:
            domain = _domain(recipient)
            self._recipients.setdefault(domain, deque()).append(recipient)
            self._size += 1
            domains.add(domain)
        for domain in sorted(domains):
            self._update(domain, now)

    def pop(self, now: float) -> Recipient | None:
        """Return the next recipient; None if no domain with deliveries may have one more connection now."""
        if self._delayed_until:
            for domain in [domain for domain, until in self._delayed_until.items() if until <= now]:
                self._update(domain, now)
        ready = next(filter(None, self._ready), None)
        if ready is None:
            return None
        domain = next(iter(ready))
        recipients = self._recipients[domain]
        recipient = recipients.popleft()
        if not recipients:
            del self._recipients[domain]
        self._size -= 1
        self._limits.domain_limit(domain).start_message(now)
        self._update(domain, now)
        return recipient

    def requeue(self, recipient: Recipient, now: float) -> None:
        """Put a recipient back, to whom nothing was sent: it is the first of its domain again."""
        domain = _domain(recipient)
        self._recipients.setdefault(domain, deque()).appendleft(recipient)
        self._size += 1
        self._close_connection(domain, now)

    def finish(self, recipient: Recipient, verdict: Verdict | None, now: float) -> None:
        """Record the verdict on a recipient's message; None if the message was dropped."""
        domain = _domain(recipient)
        if verdict is not None and verdict.fault is Fault.NONE:
            self._limits.domain_limit(domain).record_success(now)
        elif verdict is not None and verdict.is_domain_busy:
            self._limits.domain_limit(domain).record_deferral(now)
        self._close_connection(domain, now)

    def delay(self, now: float) -> float | None:
        """Return the seconds until `pop` may return a recipient; None where only a finished message helps."""
        return max(0.0, min(self._delayed_until.values()) - now) if self._delayed_until else None

    def _close_connection(self, domain: str, now: float) -> None:
        self._limits.domain_limit(domain).open_connections -= 1
        self._update(domain, now)

    def _update(self, domain: str, now: float) -> None:
        """Determine whether a domain is ready, delayed, or neither."""
        index = self._ready_index.pop(domain, None)
        if index is not None:
            del self._ready[index][domain]
        self._delayed_until.pop(domain, None)
        limit = self._limits.domain_limit(domain)
        if domain not in self._recipients:
            if not limit.open_connections:
                self._limits.discard_if_unrestricted(domain)
        elif not limit.is_full:
            delay = limit.delay(now)
            if delay > 0:
                self._delayed_until[domain] = now + delay
            else:
                self._ready[limit.open_connections][domain] = None
                self._ready_index[domain] = limit.open_connections


def _domain(recipient: Recipient) -> str:
    return recipient.address.rpartition("@")[2]

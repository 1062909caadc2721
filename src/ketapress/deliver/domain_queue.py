"""The deliveries in hand: claimed, not yet sent, in rows by the domain they go to.

In: recipients, what became of them, instants in seconds. Out: the next one, of the domain with the fewest lines open.
Pure; it claims nothing by itself. Each step takes the same time, however many domains there are.
"""

from collections import OrderedDict, deque
from collections.abc import Iterable

from ketapress.model.delivery import Fault, Recipient, Verdict
from ketapress.relay.rate_limit import Pace


class Hand:
    """What one round has in hand, and which domain is next."""

    def __init__(self, pace: Pace) -> None:
        self._pace = pace
        self._rows: dict[str, deque[Recipient]] = {}
        self._ready: list[OrderedDict[str, None]] = [OrderedDict() for _ in range(pace.lines)]
        """By how many lines they are on, the domains that somebody waits for and that may have one more."""
        self._stand: dict[str, int] = {}
        """On how many lines each of those domains is."""
        self._paused: dict[str, float] = {}
        """When each of those that may not have more just now may be gone on with."""
        self._size = 0

    def __len__(self) -> int:
        return self._size

    @property
    def crowded(self) -> bool:
        """Whether the next line would go to a domain that is on half of them already: others should be looked for."""
        return not any(self._ready[: max(1, self._pace.lines // 2)])

    def take_up(self, recipients: Iterable[Recipient], now: float) -> None:
        domains = set()
        for recipient in recipients:
            domain = _domain(recipient)
            self._rows.setdefault(domain, deque()).append(recipient)
            self._size += 1
            domains.add(domain)
        for domain in sorted(domains):
            self._place(domain, now)

    def put_back(self, recipient: Recipient, now: float) -> None:
        """It was drawn and not tried: it is the first of its row again."""
        self._rows.setdefault(_domain(recipient), deque()).appendleft(recipient)
        self._size += 1
        self._ended(_domain(recipient), now)

    def draw(self, now: float) -> Recipient | None:
        """The next to be sent to; None when nobody is waiting whose domain may have one more line."""
        if self._paused:
            for domain in [each for each, until in self._paused.items() if until <= now]:
                self._place(domain, now)
        ready = next(filter(None, self._ready), None)
        if ready is None:
            return None
        domain = next(iter(ready))
        row = self._rows[domain]
        recipient = row.popleft()
        if not row:
            del self._rows[domain]
        self._size -= 1
        self._pace.lane(domain).begun(now)
        self._place(domain, now)
        return recipient

    def pause(self, now: float) -> float | None:
        """Seconds until a domain may be gone on with that may not just now; None where only lines are wanting."""
        return max(0.0, min(self._paused.values()) - now) if self._paused else None

    def done(self, recipient: Recipient, found: Verdict | None, now: float) -> None:
        """One that was drawn is over; `found` is None where its message was dropped."""
        domain = _domain(recipient)
        if found is not None and found.fault is Fault.NONE:
            self._pace.lane(domain).taken(now)
        elif found is not None and found.is_domain_busy:
            self._pace.lane(domain).deferred(now)
        self._ended(domain, now)

    def _ended(self, domain: str, now: float) -> None:
        self._pace.lane(domain).busy -= 1
        self._place(domain, now)

    def _place(self, domain: str, now: float) -> None:
        """Where a domain stands from now on."""
        stood = self._stand.pop(domain, None)
        if stood is not None:
            del self._ready[stood][domain]
        self._paused.pop(domain, None)
        lane = self._pace.lane(domain)
        if domain not in self._rows:
            if not lane.busy:
                self._pace.forget(domain)
        elif not lane.full:
            away = lane.away(now)
            if away > 0:
                self._paused[domain] = now + away
            else:
                self._ready[lane.busy][domain] = None
                self._stand[domain] = lane.busy


def _domain(recipient: Recipient) -> str:
    return recipient.address.rpartition("@")[2]

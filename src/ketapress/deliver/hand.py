"""The deliveries in hand: claimed, not yet sent, in rows by the domain they go to.

In: recipients. Out: the next one, of the domain with the fewest lines open. Pure; it claims nothing by itself.
"""

from collections import deque
from collections.abc import Iterable

from ketapress.model.delivery import Fault, Recipient
from ketapress.relay.pace import Lanes


class Hand:
    """What one round has in hand, and on how many lines each domain is."""

    def __init__(self, lines: int) -> None:
        self._rows: dict[str, deque[Recipient]] = {}
        self._lanes = Lanes(lines)
        self._size = 0

    def __len__(self) -> int:
        return self._size

    @property
    def crowded(self) -> bool:
        """Whether the next line would go to a domain that is on half of them already: others should be looked for."""
        domain = self._lanes.freest(self._rows)
        return domain is None or self._lanes.busy(domain) >= self._lanes.half

    def take_up(self, recipients: Iterable[Recipient]) -> None:
        for recipient in recipients:
            self._rows.setdefault(_domain(recipient), deque()).append(recipient)
            self._size += 1

    def put_back(self, recipient: Recipient) -> None:
        """It was drawn and not tried: it is the first of its row again."""
        self._rows.setdefault(_domain(recipient), deque()).appendleft(recipient)
        self._size += 1
        self._lanes.ended(_domain(recipient))

    def draw(self) -> Recipient | None:
        """The next to be sent to; None when nobody is waiting whose domain may have one more line."""
        domain = self._lanes.freest(self._rows)
        if domain is None:
            return None
        row = self._rows[domain]
        recipient = row.popleft()
        if not row:
            del self._rows[domain]
        self._size -= 1
        self._lanes.begun(domain)
        return recipient

    def done(self, recipient: Recipient, fault: Fault | None) -> None:
        """One that was drawn is over; `fault` is None where its message was dropped."""
        domain = _domain(recipient)
        self._lanes.ended(domain)
        if fault is Fault.NONE:
            self._lanes.taken(domain)
        elif fault is Fault.RECIPIENT_DEFERRED:
            self._lanes.deferred(domain)


def _domain(recipient: Recipient) -> str:
    return recipient.address.rpartition("@")[2]

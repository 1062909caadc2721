"""A verdict in; what becomes of the delivery, and of the rest, out. The rules of trying again, as values.

Pure: time and chance come in as arguments, and nothing is written or waited for.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from random import Random
from typing import NamedTuple

from ketapress.model.delivery import DeliveryResult, DeliveryState, Fault, Phase, Recipient, Verdict

LIFETIME = timedelta(hours=72)
"""How long an address is tried, and how long after `send_by` an edition still goes out (RFC 5321 4.5.4.1 allows days:
a digest is not worth that)."""

_FIRST_RETRIES = (5, 15, 30, 60, 120)
_LAST_RETRY = 240
_MORE = (int(LIFETIME.total_seconds()) // 60 - sum(_FIRST_RETRIES)) // _LAST_RETRY
RETRIES = tuple(timedelta(minutes=minutes) for minutes in _FIRST_RETRIES + (_LAST_RETRY,) * _MORE)
"""The pause after each failed try; together as long as a lifetime."""

_JITTER = 0.2  # so that those who were refused together do not all come back together

REFUSALS = 5
"""That many messages refused in a row are no longer their recipients' matter."""

BREAKS = 5
"""That many lines broken in a row mean that the relay is down, though it answers the phone."""

THROTTLES = 5
"""That often in a row the relay may say that it is too fast, each time for half the rate, before it is left alone."""


class Course(StrEnum):
    """What the rest of the edition does after a verdict."""

    GO_ON = "go on"
    PAUSE_RELAY = "pause the relay"
    HOLD_EDITION = "hold the edition"


_COURSES: Mapping[Fault, Course] = {
    Fault.RELAY_DOWN: Course.PAUSE_RELAY,
    Fault.RELAY_MISCONFIGURED: Course.PAUSE_RELAY,
    Fault.SENDER_REFUSED: Course.HOLD_EDITION,
}


class Trend(NamedTuple):
    """How it went so far, in one run on one relay.

    `refused` counts the messages refused in a row, `broken` the lines lost, `throttled` how often the relay asked for
    a slower pace: each since a message was taken.
    """

    taken: bool = False
    refused: int = 0
    broken: int = 0
    throttled: int = 0

    def after(self, verdict: Verdict) -> "Trend":
        if verdict.fault is Fault.NONE:
            return _TAKEN
        if verdict.fault is Fault.MESSAGE_REFUSED:
            return self._replace(refused=self.refused + 1)
        if verdict.fault is Fault.RELAY_THROTTLED:
            return self._replace(throttled=self.throttled + 1)
        if verdict.reply.code == 0:
            return self._replace(broken=self.broken + 1)
        return self._replace(broken=0)

    @property
    def believes_refusals(self) -> bool:
        """Whether a refusal of the message is this one recipient's: the relay took the one before.

        Otherwise it may well refuse everybody (relaying denied, a full quota, a spam filter), and nobody is given up.
        """
        return self.taken and self.refused == 0


_TAKEN = Trend(taken=True)


def course(verdict: Verdict, trend: Trend, lines: int) -> Course:
    """What the rest does, after this verdict and with this trend, which already holds it.

    `lines` are open at the most: so many may hear of one and the same trouble.
    """
    if trend.refused >= REFUSALS:
        return Course.HOLD_EDITION
    if trend.broken >= BREAKS + lines - 1 or trend.throttled >= THROTTLES + lines - 1:
        return Course.PAUSE_RELAY
    return _COURSES.get(verdict.fault, Course.GO_ON)


def settled(
    recipient: Recipient,
    verdict: Verdict,
    trend: Trend,
    now: datetime,
    rng: Random,
    *,
    expires: datetime | None,
    in_doubt: str,
) -> DeliveryResult | None:
    """The delivery's next state; None where nothing was tried at the recipient's cost, and the claim is handed back.

    `trend` is how it went before this verdict. `expires` is when the edition is over, `in_doubt` the setting.
    """
    state = _STATES.get(verdict.fault)
    if state is None and verdict.phase not in {Phase.BODY, Phase.END_OF_DATA}:
        return None
    if verdict.fault is Fault.MESSAGE_REFUSED:
        state = DeliveryState.FAILED if trend.believes_refusals else DeliveryState.DEFERRED
    result = DeliveryResult(
        subscription_id=recipient.subscription_id,
        state=state or DeliveryState.DEFERRED,  # the intent may be written: it cannot go back to the queue
        reply=str(verdict.reply),
        suppress=verdict.suppress,
    )
    if result.state is DeliveryState.DEFERRED:
        again = next_try(recipient.attempts, now, rng, expires)
        return result._replace(
            next_at=again, state=DeliveryState.DEFERRED if again else DeliveryState.EXPIRED
        )
    if result.state is DeliveryState.IN_DOUBT and in_doubt == "resend":
        return result._replace(next_at=next_try(recipient.attempts, now, rng, expires))
    return result


_STATES: Mapping[Fault, DeliveryState] = {
    Fault.NONE: DeliveryState.SENT,
    Fault.RECIPIENT_DEFERRED: DeliveryState.DEFERRED,
    Fault.RECIPIENT_FAILED: DeliveryState.FAILED,
    Fault.MESSAGE_REFUSED: DeliveryState.DEFERRED,
    Fault.IN_DOUBT: DeliveryState.IN_DOUBT,
}


def next_try(attempts: int, now: datetime, rng: Random, expires: datetime | None) -> datetime | None:
    """When to try again after `attempts` earlier tries and this one; None when it is not worth it any more."""
    if attempts >= len(RETRIES):
        return None
    again = now + RETRIES[attempts] * rng.uniform(1 - _JITTER, 1 + _JITTER)
    return None if expires is not None and again > expires else again

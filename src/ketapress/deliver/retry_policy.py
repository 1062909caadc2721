"""The rules of retrying: from a verdict to the next state of the delivery, and the next step of the session.

Pure: time and chance are arguments.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from random import Random
from typing import NamedTuple

from ketapress.model.delivery import DeliveryResult, DeliveryState, Fault, Phase, Recipient, Verdict

LIFETIME = timedelta(hours=72)
"""How long an address is retried, and how long after its send deadline an edition still goes out (RFC 5321, 4.5.4.1,
allows days: a digest is not worth that)."""

_FIRST_DELAYS = (5, 15, 30, 60, 120)  # minutes
_LAST_DELAY = 240
_LAST_DELAY_COUNT = (int(LIFETIME.total_seconds()) // 60 - sum(_FIRST_DELAYS)) // _LAST_DELAY
RETRY_DELAYS = tuple(
    timedelta(minutes=minutes) for minutes in _FIRST_DELAYS + (_LAST_DELAY,) * _LAST_DELAY_COUNT
)
"""The delay after each failed attempt; together as long as a lifetime."""

_JITTER = 0.2  # so that messages deferred together are not all retried together

MAX_REFUSALS = 5
"""So many messages refused in a row are no longer the fault of their recipients."""

MAX_CONNECTION_LOSSES = 5
"""So many connections lost in a row mean that the relay is down, though it accepts connections."""

MAX_THROTTLES = 5
"""So often in a row the relay may throttle, each time to half the rate, before the session pauses."""


class NextStep(StrEnum):
    """What the session does after a verdict."""

    CONTINUE = "continue"
    PAUSE_RELAY = "pause the relay"
    HOLD_EDITION = "hold the edition"


_STEPS_BY_FAULT: Mapping[Fault, NextStep] = {
    Fault.RELAY_DOWN: NextStep.PAUSE_RELAY,
    Fault.RELAY_MISCONFIGURED: NextStep.PAUSE_RELAY,
    Fault.SENDER_REFUSED: NextStep.HOLD_EDITION,
}


class RelayHealth(NamedTuple):
    """The verdicts of one session since the last accepted message.

    `has_accepted` is whether the relay has accepted any; the others count refused messages, lost connections and
    throttling replies.
    """

    has_accepted: bool = False
    refusals: int = 0
    connection_losses: int = 0
    throttles: int = 0

    def with_verdict(self, verdict: Verdict) -> "RelayHealth":
        if verdict.fault is Fault.NONE:
            return _HEALTHY
        if verdict.fault is Fault.MESSAGE_REFUSED:
            return self._replace(refusals=self.refusals + 1)
        if verdict.fault is Fault.RELAY_THROTTLED:
            return self._replace(throttles=self.throttles + 1)
        if verdict.reply.code == 0:
            return self._replace(connection_losses=self.connection_losses + 1)
        return self._replace(connection_losses=0)

    @property
    def can_trust_refusals(self) -> bool:
        """Whether a refused message is the fault of this recipient alone: the relay accepted the message before it.

        Otherwise it may refuse everybody (relaying denied, quota exceeded, a spam filter), and nothing is failed.
        """
        return self.has_accepted and self.refusals == 0


_HEALTHY = RelayHealth(has_accepted=True)


def next_step(verdict: Verdict, health: RelayHealth, connections: int) -> NextStep:
    """Return what the session does. `health` includes this verdict.

    As many as `connections` may report one and the same fault of the relay.
    """
    if health.refusals >= MAX_REFUSALS:
        return NextStep.HOLD_EDITION
    margin = connections - 1
    if (
        health.connection_losses >= MAX_CONNECTION_LOSSES + margin
        or health.throttles >= MAX_THROTTLES + margin
    ):
        return NextStep.PAUSE_RELAY
    return _STEPS_BY_FAULT.get(verdict.fault, NextStep.CONTINUE)


_STATES_BY_FAULT: Mapping[Fault, DeliveryState] = {
    Fault.NONE: DeliveryState.SENT,
    Fault.RECIPIENT_DEFERRED: DeliveryState.DEFERRED,
    Fault.RECIPIENT_FAILED: DeliveryState.FAILED,
    Fault.MESSAGE_REFUSED: DeliveryState.DEFERRED,
    Fault.IN_DOUBT: DeliveryState.IN_DOUBT,
}


def next_state(
    recipient: Recipient,
    verdict: Verdict,
    health: RelayHealth,
    now: datetime,
    rng: Random,
    *,
    expires_at: datetime | None,
    in_doubt: str,
) -> DeliveryResult | None:
    """Return the delivery's next state; None if nothing was attempted for this recipient, and the claim is released.

    `health` is from before this verdict. `expires_at` is when the edition expires, `in_doubt` the setting.
    """
    state = _STATES_BY_FAULT.get(verdict.fault)
    if state is None and verdict.phase not in {Phase.BODY, Phase.END_OF_DATA}:
        return None
    if verdict.fault is Fault.MESSAGE_REFUSED and health.can_trust_refusals:
        state = DeliveryState.FAILED
    result = DeliveryResult(
        subscription_id=recipient.subscription_id,
        state=state or DeliveryState.DEFERRED,  # its intent may be committed: it cannot be queued again
        reply=str(verdict.reply),
        suppress=verdict.suppress,
    )
    if result.state is DeliveryState.DEFERRED:
        next_at = next_attempt(recipient.attempts, now, rng, expires_at)
        return result._replace(
            next_at=next_at, state=DeliveryState.DEFERRED if next_at else DeliveryState.EXPIRED
        )
    if result.state is DeliveryState.IN_DOUBT and in_doubt == "resend":
        return result._replace(next_at=next_attempt(recipient.attempts, now, rng, expires_at))
    return result


def next_attempt(attempts: int, now: datetime, rng: Random, expires_at: datetime | None) -> datetime | None:
    """Return when to try again after `attempts` earlier attempts and this one; None if it is not worth it any more."""
    if attempts >= len(RETRY_DELAYS):
        return None
    moment = now + RETRY_DELAYS[attempts] * rng.uniform(1 - _JITTER, 1 + _JITTER)
    return None if expires_at is not None and moment > expires_at else moment

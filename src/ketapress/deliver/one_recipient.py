"""One finished message to one address, as a test. Nothing is recorded, and nothing is tried twice."""

import asyncio
from collections.abc import Sequence

from ketapress.model.delivery import Fault, Phase, Reply, Verdict
from ketapress.model.settings import RelaySettings
from ketapress.relay.classify import verdict
from ketapress.relay.client import Connection, NotOpened
from ketapress.relay.transaction import Envelope

_DROPPED = Verdict(Fault.RELAY_DOWN, Reply(0, "the line was closed before the message was whole"), Phase.BODY)


def send_trial(relay: RelaySettings, sender: str, address: str, message: Sequence[bytes]) -> Verdict:
    """Hands one message to the relay and says what it made of it."""
    return asyncio.run(_sent(relay, sender, address, message))


async def _sent(relay: RelaySettings, sender: str, address: str, message: Sequence[bytes]) -> Verdict:
    try:
        line = await Connection.open(relay.url, hostname=sender.rpartition("@")[2])
    except NotOpened as refusal:
        return verdict(refusal.phase, refusal.reply)
    try:
        envelope = Envelope(relay.return_path or sender, address, sum(map(len, message)))
        outcome = await line.transmit(envelope, message, _at_once)
    finally:
        await line.close()
    return verdict(*outcome) if outcome else _DROPPED


async def _at_once() -> bool:
    return True

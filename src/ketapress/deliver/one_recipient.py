"""Send one finished message to one address. Nothing is recorded or retried."""

import asyncio
from collections.abc import Sequence

from ketapress.model.delivery import Fault, Phase, Reply, Verdict
from ketapress.model.settings import RelaySettings
from ketapress.relay.classify import classify_reply
from ketapress.relay.client import ConnectError, Connection
from ketapress.relay.transaction import Envelope

_DROPPED = Verdict(
    Fault.RELAY_DOWN, Reply(0, "the connection was closed before the end of the message"), Phase.BODY
)


def send_to_one(relay: RelaySettings, sender: str, address: str, message: Sequence[bytes]) -> Verdict:
    """Send one message, given in chunks, and return the verdict on the relay's reply."""
    return asyncio.run(_send(relay, sender, address, message))


async def _send(relay: RelaySettings, sender: str, address: str, message: Sequence[bytes]) -> Verdict:
    try:
        connection = await Connection.open(relay.url, hostname=sender.rpartition("@")[2])
    except ConnectError as error:
        return classify_reply(error.phase, error.reply)
    try:
        envelope = Envelope(relay.return_path or sender, address, sum(map(len, message)))
        outcome = await connection.send(envelope, message, _may_send)
    finally:
        await connection.close()
    return classify_reply(*outcome) if outcome else _DROPPED


async def _may_send() -> bool:
    return True

"""Knocks at the relay: connection, TLS, login, and goodbye. No message is begun."""

import asyncio

from ketapress.doctor.finding import Finding, error, ok, warning
from ketapress.model.delivery import Phase
from ketapress.model.settings import RelayUrl
from ketapress.relay.client import Connection, NotOpened
from ketapress.relay.stream import Deadlines

_DEADLINES = Deadlines(connect=5, greeting=5, tls=5, hello=5, authenticate=5, farewell=1)
_CURES = {
    Phase.CONNECT: "Look whether it runs there, whether `relay.url` is right, and whether a firewall lets this machine out.",
    Phase.TLS: "Look at its certificate and at the kind of `relay.url`: smtp+starttls:// is port 587, smtps:// is 465.",
    Phase.HELLO: "Ask whoever runs it whether it takes mail from this machine.",
    Phase.AUTHENTICATE: "Correct the user and the password in `relay.url`.",
}
_SECURITY_TEXT = {"none": "without TLS", "starttls": "with TLS by STARTTLS", "tls": "with TLS"}


def check_relay(url: RelayUrl, hostname: str) -> tuple[Finding, ...]:
    """How far it let us in, each step within seconds."""
    refusal = asyncio.run(_connect(url, hostname))
    if refusal:
        return (
            error(
                "relay",
                f"{url} does not let us in at {refusal.phase}: {refusal.reply}.",
                _CURES[refusal.phase],
            ),
        )
    login = f", logged in as {url.user}" if url.user else ", without a login"
    findings = [ok("relay", f"{url} lets us in {_SECURITY_TEXT[url.security]}{login}.")]
    if url.security == "none" and not url.is_local:
        cure = "Use smtp+starttls:// or smtps://, if the relay can."
        findings.append(warning("relay", f"mail to {url.host} travels in clear.", cure))
    return tuple(findings)


async def _connect(url: RelayUrl, hostname: str) -> NotOpened | None:
    try:
        connection = await Connection.open(url, hostname=hostname, deadlines=_DEADLINES)
    except NotOpened as refusal:
        return refusal
    await connection.close()
    return None

"""Check the relay: connect, start TLS, log in, and quit. No message is sent."""

import asyncio

from ketapress.doctor.finding import Finding, error, ok, warning
from ketapress.model.delivery import Phase
from ketapress.model.settings import RelayUrl
from ketapress.relay.client import ConnectError, Connection
from ketapress.relay.stream import Deadlines

_DEADLINES = Deadlines(connect=5, greeting=5, tls=5, hello=5, authenticate=5, quit=1)
_CURES = {
    Phase.CONNECT: "Check that it is running, that `relay.url` is correct, and that no firewall blocks the connection.",
    Phase.TLS: "Check its certificate and the scheme of `relay.url`: smtp+starttls:// uses port 587, smtps:// uses 465.",
    Phase.HELLO: "Ask its operator whether it accepts mail from this machine.",
    Phase.AUTHENTICATE: "Correct the user name and the password in `relay.url`.",
}
_SECURITY_TEXT = {"none": "without TLS", "starttls": "with TLS by STARTTLS", "tls": "with TLS"}


def check_relay(url: RelayUrl, hostname: str) -> tuple[Finding, ...]:
    """Connect to the relay and log in; each step has a deadline of five seconds."""
    refusal = asyncio.run(_connect(url, hostname))
    if refusal:
        return (
            error(
                "relay",
                f"connecting to {url} failed at {refusal.phase}: {refusal.reply}.",
                _CURES[refusal.phase],
            ),
        )
    login = f", logged in as {url.user}" if url.user else ", without a login"
    findings = [ok("relay", f"{url} accepts connections {_SECURITY_TEXT[url.security]}{login}.")]
    if url.security == "none" and not url.is_local:
        cure = "Use smtp+starttls:// or smtps://, if the relay supports it."
        findings.append(warning("relay", f"mail to {url.host} is not encrypted.", cure))
    return tuple(findings)


async def _connect(url: RelayUrl, hostname: str) -> ConnectError | None:
    try:
        connection = await Connection.open(url, hostname=hostname, deadlines=_DEADLINES)
    except ConnectError as refusal:
        return refusal
    await connection.close()
    return None

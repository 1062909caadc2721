"""Scores of rspamd for signed messages from a host that SPF allows: SPF, DKIM and DMARC pass.

A DNS server of the tests answers; no other server is asked.
"""

import json
import re
import socket
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import dkim
import pytest

from ketapress.mail.personalize import merge_values, message_bytes
from ketapress.model.delivery import Recipient
from ketapress.model.message import Digest
from ketapress.model.settings import Settings
from support.dns_server import Zone, run_dns_server
from support.factories import WEEKLY
from support.sample_posts import (
    ARABIC,
    SETTINGS,
    arabic_post,
    build_posts_digest,
    chinese_post,
    hostile_post,
    rich_post,
    seed_post,
)

pytestmark = pytest.mark.rspamd

DIGESTS: dict[str, tuple[Digest, Settings]] = {
    "seed": (build_posts_digest(seed_post()), SETTINGS),
    "rich": (build_posts_digest(rich_post(), chinese_post()), SETTINGS),
    "arabic": (build_posts_digest(arabic_post(), settings=ARABIC), ARABIC),
    "hostile": (build_posts_digest(hostile_post(), seed_post()), SETTINGS),
}
_MAX_SCORE = 1.0
_DOMAIN, _SELECTOR = WEEKLY.sender.domain, "press"
_HOST = "192.0.2.25"  # for documentation (RFC 5737)
_ATTEMPTS = 200
_NETWORK_MODULES = ("fuzzy_check", "rbl", "phishing")  # modules that use the network
_CONFIGURATION = """
.include "$CONFDIR/common.conf"
options {{
  filters = "chartable,dkim,regexp,spf";
  pidfile = "{folder}/pid";
  control_socket = "{folder}/control mode=0600";
  url_tld = "{folder}/domains";  # its own list takes ten seconds to compile
  dns {{ nameserver = ["127.0.0.1:{port}"]; timeout = 2s; retransmits = 2; }}
}}
logging {{ type = "file"; filename = "{folder}/log"; level = "error"; }}
worker "normal" {{ bind_socket = "{folder}/socket mode=0600"; count = 1; }}
"""


@dataclass(frozen=True, slots=True)
class Rspamd:
    """A running rspamd: its socket, and the private key to the domain's DKIM record."""

    socket: Path
    key: bytes


@pytest.fixture(scope="module")
def rspamd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rspamd]:
    folder = tmp_path_factory.mktemp("rspamd")
    (folder / "local.d").mkdir()
    for module in _NETWORK_MODULES:
        (folder / "local.d" / f"{module}.conf").write_text("enabled = false;\n")
    (folder / "domains").write_text("com\nexample\ninfo\nio\nnet\norg\n")
    with run_dns_server() as zone:
        key = _publish_key(zone, folder / "key.pem")
        configuration = _CONFIGURATION.format(folder=folder, port=zone.port)
        (folder / "rspamd.conf").write_text(configuration)
        options = [f"--var={name}={folder}" for name in ("DBDIR", "RUNDIR", "LOGDIR", "LOCAL_CONFDIR")]
        command = ["rspamd", "--no-fork", "--insecure", "--config", str(folder / "rspamd.conf"), *options]
        with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as daemon:
            try:
                _wait_for(folder / "socket", daemon)
                yield Rspamd(folder / "socket", key)
            finally:
                daemon.terminate()


def _publish_key(zone: Zone, file: Path) -> bytes:
    """Create a key, publish it for DKIM, and publish `_HOST` as the only sender (SPF, DMARC)."""
    command = ["rspamadm", "dkim_keygen", "-d", _DOMAIN, "-s", _SELECTOR, "-b", "2048", "-k", str(file)]
    record = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stdout
    zone.add_text(f"{_SELECTOR}._domainkey.{_DOMAIN}", "".join(re.findall(r'"([^"]*)"', record)))
    zone.add_text(f"_dmarc.{_DOMAIN}", "v=DMARC1; p=reject")
    zone.add_text(_DOMAIN, f"v=spf1 ip4:{_HOST} -all")
    zone.add(_DOMAIN, "A", _HOST)
    zone.add(_DOMAIN, "MX", f"10 mail.{_DOMAIN}.")
    zone.add(f"mail.{_DOMAIN}", "A", _HOST)
    return file.read_bytes()


@pytest.mark.parametrize("name", DIGESTS)
def test_rspamd_finds_little_to_say(rspamd: Rspamd, name: str) -> None:
    result = _check_message(rspamd.socket, _sign(_message(*DIGESTS[name]), rspamd.key))
    scores = {symbol: entry["score"] for symbol, entry in result["symbols"].items() if entry["score"]}

    assert result["action"] == "no action"
    assert scores.keys() >= {"MIME_GOOD", "HAS_LIST_UNSUB"}
    assert result["symbols"].keys() >= {"R_SPF_ALLOW", "R_DKIM_ALLOW", "DMARC_POLICY_ALLOW"}
    assert result["score"] <= _MAX_SCORE, scores
    assert not {"BROKEN_HEADERS", "MIME_HTML_ONLY", "R_PARTS_DIFFER", "R_SUSPICIOUS_IMAGES"} & scores.keys()


def test_a_letter_that_somebody_else_changed_is_not_ours(rspamd: Rspamd) -> None:
    """Rspamd rejects a changed message, so the other tests can rely on its verdicts."""
    changed_message = _sign(_message(*DIGESTS["seed"]), rspamd.key).replace(b"Mental", b"Metal")

    symbols = _check_message(rspamd.socket, changed_message)["symbols"]

    assert "R_DKIM_REJECT" in symbols
    assert "R_DKIM_ALLOW" not in symbols


def _sign(message: bytes, key: bytes) -> bytes:
    """Sign the headers that RFC 8058, 4, requires, and From twice, so that no second one can be added."""
    names = ["from", "from", "to", "subject", "date", "message-id", "mime-version", "content-type", "list-id"]
    names += ["list-unsubscribe", "list-unsubscribe-post"]
    signature: bytes = dkim.sign(
        message,
        _SELECTOR.encode(),
        _DOMAIN.encode(),
        key,
        canonicalize=(b"relaxed", b"relaxed"),
        include_headers=[name.encode() for name in names],
    )
    return signature + message


def _wait_for(path: Path, daemon: subprocess.Popen[bytes]) -> None:
    for _ in range(_ATTEMPTS):
        with suppress(OSError), socket.socket(socket.AF_UNIX) as connection:
            connection.connect(str(path))
            return
        with suppress(subprocess.TimeoutExpired):
            daemon.wait(0.1)
    raise AssertionError("rspamd did not open its socket")


def _check_message(path: Path, message: bytes) -> dict[str, Any]:
    """Return rspamd's result (over HTTP) for a message from `_HOST`."""
    head = (
        f"POST /checkv2 HTTP/1.0\r\nIP: {_HOST}\r\nHelo: mail.{_DOMAIN}\r\nHostname: mail.{_DOMAIN}\r\n"
        f"From: bounces@{_DOMAIN}\r\nRcpt: reader@example.com\r\nContent-Length: {len(message)}\r\n\r\n"
    )
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(30)
        connection.connect(str(path))
        connection.sendall(head.encode() + message)
        response = b"".join(iter(lambda: connection.recv(65536), b""))
    result: dict[str, Any] = json.loads(response.partition(b"\r\n\r\n")[2])
    return result


def _message(digest: Digest, settings: Settings) -> bytes:
    """Return the message of one subscriber, dated now, because filters check the date."""
    values = merge_values(
        digest.message_template,
        Recipient(subscription_id=7, address="reader@example.com", name="A Reader"),
        sender_domain=WEEKLY.sender.domain,
        web_base_url=settings.web_base_url,
        secret="x" * 32,
        date=datetime.now(UTC),
    )
    return message_bytes(digest.message_template, values)

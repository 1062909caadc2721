"""Letters as rspamd judges them, with no network: nothing but what only the sending host could mend."""

import json
import socket
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from factories import WEEKLY
from ketapress.mail.stamp import slot_values, stamped
from ketapress.model.delivery import Recipient
from ketapress.model.letter import Digest
from ketapress.model.settings import Settings
from letters import ARABIC, SETTINGS, arabic_post, chinese_post, hostile_post, letter_of, rich_post, seed_post

pytestmark = pytest.mark.rspamd

LETTERS: dict[str, tuple[Digest, Settings]] = {
    "seed": (letter_of(seed_post()), SETTINGS),
    "rich": (letter_of(rich_post(), chinese_post()), SETTINGS),
    "arabic": (letter_of(arabic_post(), whole=ARABIC), ARABIC),
    "hostile": (letter_of(hostile_post(), seed_post()), SETTINGS),
}
_MOST = 1.0
_ATTEMPTS = 200
_ASKING_OTHERS = ("fuzzy_check", "rbl", "phishing")  # modules that want the network
_CONFIGURATION = """
.include "$CONFDIR/common.conf"
options {{
  filters = "chartable,dkim,regexp";
  pidfile = "{folder}/pid";
  control_socket = "{folder}/control mode=0600";
  url_tld = "{folder}/domains";  # its own list takes ten seconds to compile
  dns {{ nameserver = ["127.0.0.1:9"]; timeout = 0.05s; retransmits = 1; }}
}}
logging {{ type = "file"; filename = "{folder}/log"; level = "error"; }}
worker "normal" {{ bind_socket = "{folder}/socket mode=0600"; count = 1; }}
"""


@pytest.fixture(scope="module")
def rspamd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The socket of a daemon of our own that resolves no name."""
    folder = tmp_path_factory.mktemp("rspamd")
    (folder / "local.d").mkdir()
    for module in _ASKING_OTHERS:
        (folder / "local.d" / f"{module}.conf").write_text("enabled = false;\n")
    (folder / "domains").write_text("com\nexample\norg\n")
    (folder / "rspamd.conf").write_text(_CONFIGURATION.format(folder=folder))
    places = [f"--var={name}={folder}" for name in ("DBDIR", "RUNDIR", "LOGDIR", "LOCAL_CONFDIR")]
    command = ["rspamd", "--no-fork", "--insecure", "--config", str(folder / "rspamd.conf"), *places]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as daemon:
        try:
            _wait_for(folder / "socket", daemon)
            yield folder / "socket"
        finally:
            daemon.terminate()


@pytest.mark.parametrize("name", LETTERS)
def test_rspamd_finds_little_to_say(rspamd: Path, name: str) -> None:
    judged = _judged(rspamd, _message(*LETTERS[name]))
    said = {symbol: each["score"] for symbol, each in judged["symbols"].items() if each["score"]}

    assert judged["action"] == "no action"
    assert said.keys() >= {"MIME_GOOD", "HAS_LIST_UNSUB"}
    assert judged["score"] <= _MOST, said
    assert not {"BROKEN_HEADERS", "MIME_HTML_ONLY", "R_PARTS_DIFFER", "R_SUSPICIOUS_IMAGES"} & said.keys()


def _wait_for(path: Path, daemon: subprocess.Popen[bytes]) -> None:
    for _ in range(_ATTEMPTS):
        with suppress(OSError), socket.socket(socket.AF_UNIX) as line:
            line.connect(str(path))
            return
        with suppress(subprocess.TimeoutExpired):
            daemon.wait(0.1)
    raise AssertionError("rspamd did not open its socket")


def _judged(path: Path, message: bytes) -> dict[str, Any]:
    """What the daemon answers (its protocol is HTTP); it is told of a host that has a name."""
    head = f"POST /checkv2 HTTP/1.0\r\nHostname: mail.example.org\r\nContent-Length: {len(message)}\r\n\r\n"
    with socket.socket(socket.AF_UNIX) as line:
        line.settimeout(30)
        line.connect(str(path))
        line.sendall(head.encode() + message)
        answer = b"".join(iter(lambda: line.recv(65536), b""))
    judged: dict[str, Any] = json.loads(answer.partition(b"\r\n\r\n")[2])
    return judged


def _message(digest: Digest, whole: Settings) -> bytes:
    """What one subscriber gets now: filters look at the date."""
    values = slot_values(
        digest.letter,
        Recipient(subscription_id=7, address="reader@example.com", name="A Reader"),
        sender_domain=WEEKLY.sender.domain,
        door=whole.door,
        secret="x" * 32,
        date=datetime.now(UTC),
    )
    return stamped(digest.letter, values)

"""Notify a WebSub hub, and remember the feeds that it was notified of.

WebSub (6) leaves open how a publisher notifies its hub; hubs accept the POST of PubSubHubbub 0.4 (7.1).
"""

import ssl
from collections.abc import Mapping
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from pathlib import Path
from urllib.parse import urlencode, urlsplit

from ketapress import __version__
from ketapress.system.state_file import read_state, write_state

_TIMEOUT = 10.0  # seconds for each step
_SUCCESS = range(200, 300)  # RFC 9110, 15.3
_STATE_FILE = "announced.json"


def notify_hub(hub: str, topic: str) -> str:
    """Notify the hub of an update of `topic`. Returns an empty string, or half a sentence that says what failed.

    Follows no redirect: the settings name the hub.
    """
    parts = urlsplit(hub)
    body = urlencode({"hub.mode": "publish", "hub.url": topic, "hub.topic": topic})
    headers = {
        "Content-Type": "application/x-www-form-urlencoded",
        "User-Agent": f"Ketapress/{__version__}",
    }
    try:
        if parts.scheme == "https":
            context = ssl.create_default_context()
            connection: HTTPConnection = HTTPSConnection(parts.netloc, timeout=_TIMEOUT, context=context)
        else:
            connection = HTTPConnection(parts.netloc, timeout=_TIMEOUT)
        try:
            connection.request("POST", parts.path or "/", body, headers)
            response = connection.getresponse()
            text = response.read(200).decode(errors="replace")
        finally:
            connection.close()
    except (OSError, HTTPException, ValueError) as error:
        return f"does not answer ({error})"
    if response.status in _SUCCESS:
        return ""
    return f"answered {response.status} {response.reason}: {' '.join(text.split())}"


def read_digests(root: Path) -> Mapping[str, str]:
    """Return the digest of each feed that a hub was notified of, by hub and address."""
    return {key: str(digest) for key, digest in read_state(root, _STATE_FILE).items()}


def write_digests(root: Path, digests: Mapping[str, str]) -> None:
    write_state(root, _STATE_FILE, digests)

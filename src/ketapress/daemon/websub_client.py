"""Edge: tells a WebSub hub that a feed has news, and remembers what it was told.

In: the hub, the address of a feed. Out: nothing, or a sentence on what the hub did. How a publisher tells its hub is left
open by WebSub (6); hubs take what PubSubHubbub 0.4 (7.1) has: a POST of `hub.mode=publish` and `hub.url`.
"""

import ssl
from collections.abc import Mapping
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from pathlib import Path
from urllib.parse import urlencode, urlsplit

from ketapress import __version__
from ketapress.system.state_file import read_state, write_state

PATIENCE = 10.0  # seconds for each step of a conversation
_FORM = "application/x-www-form-urlencoded"
_NAME = "announced.json"


def announce(hub: str, topic: str) -> str:
    """Tells the hub of news at `topic`; empty where it took that, else half a sentence on what it said or did.

    It follows no redirect: the hub is where the settings say that it is.
    """
    parts = urlsplit(hub)
    body = urlencode({"hub.mode": "publish", "hub.url": topic, "hub.topic": topic})
    heads = {"Content-Type": _FORM, "User-Agent": f"Ketapress/{__version__}"}
    path = parts.path or "/"
    try:
        line = _line(parts.scheme, parts.netloc)
        try:
            line.request("POST", path, body, heads)
            answer = line.getresponse()
            said = answer.read(200).decode(errors="replace")
        finally:
            line.close()
    except (OSError, HTTPException, ValueError) as error:
        return f"does not answer ({error})"
    taken = range(200, 300)  # RFC 9110, 15.3
    return "" if answer.status in taken else f"says {answer.status} {answer.reason}: {' '.join(said.split())}"


def read_announced(root: Path) -> Mapping[str, str]:
    """What was announced: the hash of each feed's bytes, by its address at this hub."""
    return {key: str(value) for key, value in read_state(root, _NAME).items()}


def write_announced(root: Path, announced: Mapping[str, str]) -> None:
    write_state(root, _NAME, announced)


def _line(scheme: str, place: str) -> HTTPConnection:
    if scheme == "https":
        return HTTPSConnection(place, timeout=PATIENCE, context=ssl.create_default_context())
    return HTTPConnection(place, timeout=PATIENCE)

"""`make demo` shows messages within seconds, its links work, and it removes its files."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from support.factories import REPOSITORY

TIMEOUT = 90.0  # seconds on a busy machine


@pytest.fixture
def demo() -> Iterator["subprocess.Popen[str]"]:
    command = [sys.executable, str(REPOSITORY / "docs" / "demo" / "demo.py")]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        yield process
    finally:
        if process.poll() is None:
            process.terminate()
        process.communicate(timeout=TIMEOUT)


def test_the_demo_mails_shows_and_ends_without_a_trace(demo: "subprocess.Popen[str]") -> None:
    assert demo.stdout
    facts = {}
    for line in demo.stdout:
        if not line.strip():
            break
        name, _, value = line.strip().partition("   ")
        facts[name] = value.strip()
    inbox_url, folder = facts["Incoming mail"], Path(facts["Folder"])
    messages = wait_for_messages(inbox_url)
    assert {message["to"].partition("@")[0] for message in messages} >= {"ada", "yuri"}
    assert "On bread and patience" in messages[0]["subject"] or "quiet places" in messages[0]["subject"]
    html = httpx.get(f"{inbox_url}messages/{messages[0]['number']}", timeout=TIMEOUT).text
    assert "<html" in html
    url = next(text for text in html.split('"') if "/unsubscribe/" in text)
    assert httpx.get(url, timeout=TIMEOUT).status_code == 200
    assert 200 in iter_statuses(facts["Site"])
    assert "Ketapress, live" in httpx.get(inbox_url, timeout=TIMEOUT).text
    os.kill(demo.pid, signal.SIGINT)
    assert demo.wait(TIMEOUT) == 0
    assert not folder.exists()


def iter_statuses(url: str) -> Iterator[int]:
    """Request a URL again and again. Yield the status codes."""
    deadline = time.monotonic() + TIMEOUT
    while time.monotonic() < deadline:
        yield httpx.get(url, timeout=TIMEOUT).status_code


def wait_for_messages(url: str) -> list[dict[str, str]]:
    """Wait for all messages of the first edition. Return them."""
    deadline = time.monotonic() + TIMEOUT
    messages: list[dict[str, str]] = []
    while time.monotonic() < deadline and len(messages) < 24:
        messages = json.loads(httpx.get(f"{url}messages.json", timeout=TIMEOUT).text)["messages"]
    return messages

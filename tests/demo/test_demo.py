"""`make demo`: it shows messages within seconds, its links work, and it leaves nothing behind."""

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

PATIENCE = 90.0  # seconds on a busy machine


@pytest.fixture
def demo() -> Iterator["subprocess.Popen[str]"]:
    command = [sys.executable, str(REPOSITORY / "docs" / "demo" / "demo.py")]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        yield process
    finally:
        if process.poll() is None:
            process.terminate()
        process.communicate(timeout=PATIENCE)


def test_the_demo_mails_shows_and_ends_without_a_trace(demo: "subprocess.Popen[str]") -> None:
    assert demo.stdout
    told = {}
    for line in demo.stdout:
        if not line.strip():
            break
        name, _, value = line.strip().partition("   ")
        told[name] = value.strip()
    page, door, folder = told["the mail, as it arrives"], told["the publication"], Path(told["its folder"])
    found = messages(page)
    assert {each["to"].partition("@")[0] for each in found} >= {"ada", "yuri"}
    assert "On bread and patience" in found[0]["subject"] or "quiet places" in found[0]["subject"]
    shown = httpx.get(f"{page}messages/{found[0]['number']}").text
    assert "<html" in shown
    link = next(each for each in shown.split('"') if "/unsubscribe/" in each)
    assert httpx.get(link).status_code == 200
    assert 200 in statuses(door)
    assert "Ketapress, live" in httpx.get(page).text
    os.kill(demo.pid, signal.SIGINT)
    assert demo.wait(PATIENCE) == 0
    assert not folder.exists()


def statuses(url: str) -> Iterator[int]:
    """What the door answers, until the publication is built."""
    ends = time.monotonic() + PATIENCE
    while time.monotonic() < ends:
        yield httpx.get(url).status_code


def messages(page: str) -> list[dict[str, str]]:
    """All of the first edition's, once they have arrived."""
    ends = time.monotonic() + PATIENCE
    found: list[dict[str, str]] = []
    while time.monotonic() < ends and len(found) < 24:
        found = json.loads(httpx.get(f"{page}messages.json").text)["messages"]
    return found

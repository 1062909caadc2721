"""What machines are told: alive, ready, and numbers in Prometheus' format."""

import re
from pathlib import Path

import httpx
import pytest
from hypothesis import given, strategies as st

from ketapress.daemon.counters import Measures, measured
from ketapress.web.metrics import exposition
from support.cli_runner import ketapress
from support.daemon_process import running

LINE = re.compile(r'ketapress_[a-z_]+(\{[a-z_]+="[^"\n]*"(,[a-z_]+="[^"\n]*")*\})? -?[0-9.e+-]+\Z')


@pytest.fixture
def scraped(published: Path) -> str:
    """The page of metrics of a daemon whose schedule has not run: its newsletter's slots are long past."""

    toml = published / "ketapress.toml"
    toml.write_text(toml.read_text() + "\n[web]\nport = 0\n")
    ketapress(published, "outbox", "hold", "weekly/2023-06-12T0800")
    with running(published, "--only", "web") as daemon:
        address = daemon.until("web")["url"]
        for path in ("/metrics", "/readyz"):
            for head in ("X-Forwarded-For", "Forwarded", "Via"):
                assert httpx.get(address + path, headers={head: "for=192.0.2.1"}).status_code == 404
        answer = httpx.get(f"{address}/metrics")
        assert httpx.get(f"{address}/metrics").text == answer.text
    assert answer.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
    return answer.text


def test_every_line_is_a_sample_or_tells_what_one_is(scraped: str) -> None:
    for line in scraped.splitlines():
        assert line.startswith(("# HELP ketapress_", "# TYPE ketapress_")) or LINE.match(line), line
    assert scraped.count("# TYPE ketapress_deliveries gauge") == 1


def test_a_schedule_that_does_not_run_shows_as_lag_and_a_held_edition_as_waiting(scraped: str) -> None:
    assert "ketapress_editions_waiting 1\n" in scraped
    (lag,) = re.findall(r'ketapress_lag_seconds\{newsletter="weekly"\} (\S+)', scraped)
    assert float(lag) > 86400 * 365


def test_numbers_of_all_parts_outlive_a_restart(tmp_path: Path) -> None:
    for part, name in (("schedule", "builds"), ("delivery", "replies_2xx")):
        for _ in range(2):
            numbers = Measures(tmp_path, part)
            numbers.add(name)
            numbers.keep()
    assert measured(tmp_path) == {"builds": 2, "replies_2xx": 2}
    (tmp_path / ".ketapress" / "measured-delivery.json").write_text("[broken")
    assert measured(tmp_path) == {"builds": 2}


@given(st.text())
def test_a_label_is_one_line_whatever_it_holds(value: str) -> None:
    (line,) = [
        each
        for each in exposition([("ketapress_lag_seconds", {"newsletter": value}, 1.5)]).split("\n")
        if each and not each.startswith("#")
    ]
    assert line.endswith(" 1.5")
    assert "\n" not in line

"""The monitoring endpoints: health, readiness, and numbers in Prometheus' format."""

import re
from pathlib import Path

import httpx
import pytest
from hypothesis import given, strategies as st

from ketapress.daemon.counters import Counters, read_counters
from ketapress.web.metrics import format_samples
from support.cli_runner import ketapress
from support.daemon_process import start_daemon

LINE = re.compile(r'ketapress_[a-z_]+(\{[a-z_]+="[^"\n]*"(,[a-z_]+="[^"\n]*")*\})? -?[0-9.e+-]+\Z')


@pytest.fixture
def metrics(own_publication: Path) -> str:
    """The metrics of a daemon whose schedule has not run; the slots of its newsletter are long past."""
    toml = own_publication / "ketapress.toml"
    toml.write_text(toml.read_text() + "\n[web]\nport = 0\n")
    ketapress(own_publication, "outbox", "hold", "weekly/2023-06-12T0800")
    with start_daemon(own_publication, "--only", "web") as daemon:
        address = daemon.wait_for("web")["url"]
        for path in ("/metrics", "/readyz"):
            for header in ("X-Forwarded-For", "Forwarded", "Via"):
                assert httpx.get(address + path, headers={header: "for=192.0.2.1"}).status_code == 404
        response = httpx.get(f"{address}/metrics")
        assert httpx.get(f"{address}/metrics").text == response.text
    assert response.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
    return response.text


def test_every_line_is_a_sample_or_tells_what_one_is(metrics: str) -> None:
    for line in metrics.splitlines():
        assert line.startswith(("# HELP ketapress_", "# TYPE ketapress_")) or LINE.match(line), line
    assert metrics.count("# TYPE ketapress_deliveries gauge") == 1


def test_a_schedule_that_does_not_run_shows_as_lag_and_a_held_edition_as_waiting(metrics: str) -> None:
    assert "ketapress_editions_waiting 1\n" in metrics
    (lag,) = re.findall(r'ketapress_lag_seconds\{newsletter="weekly"\} (\S+)', metrics)
    assert float(lag) > 86400 * 365


def test_numbers_of_all_parts_outlive_a_restart(tmp_path: Path) -> None:
    for job, name in (("schedule", "builds"), ("delivery", "replies_2xx")):
        for _ in range(2):
            counters = Counters(tmp_path, job)
            counters.add(name)
            counters.save()
    assert read_counters(tmp_path) == {"builds": 2, "replies_2xx": 2}
    (tmp_path / ".ketapress" / "measured-delivery.json").write_text("[broken")
    assert read_counters(tmp_path) == {"builds": 2}


@given(st.text())
def test_a_label_is_one_line_whatever_it_holds(value: str) -> None:
    text = format_samples([("ketapress_lag_seconds", {"newsletter": value}, 1.5)])
    (line,) = [line for line in text.split("\n") if line and not line.startswith("#")]
    assert line.endswith(" 1.5")
    assert "\n" not in line

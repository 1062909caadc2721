"""The progress bar of `send`."""

import pytest

from ketapress.cli.progress import DeliveryBar
from ketapress.deliver.report import Progress
from ketapress.model.delivery import DeliveryState


def test_the_bar_shows_counts_by_state_rate_and_time_left(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "160")
    counts = {DeliveryState.SENT: 1200, DeliveryState.DEFERRED: 30, DeliveryState.FAILED: 4}
    with DeliveryBar() as bar:
        bar.update(Progress(edition="weekly/2023-06-12T0800", total=4000, counts={DeliveryState.SENT: 1}))
        bar.update(Progress(edition="weekly/2023-06-12T0800", total=4000, counts=counts))
    output = capsys.readouterr()
    assert output.out == ""
    assert "weekly/2023-06-12T0800" in output.err
    assert "1,234 of 4,000: 1,200 sent, 30 deferred, 4 failed" in output.err
    assert "/s" in output.err
    assert "0:00:" in output.err

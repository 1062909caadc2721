"""The bar that shows how mail goes out."""

import pytest

from ketapress.cli.progress import DeliveryBar
from ketapress.deliver.report import Progress
from ketapress.model.delivery import DeliveryState


def test_the_bar_tells_what_was_sent_deferred_and_failed_how_fast_and_how_long_still(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "160")
    done = {DeliveryState.SENT: 1200, DeliveryState.DEFERRED: 30, DeliveryState.FAILED: 4}
    with DeliveryBar() as bar:
        bar.show(Progress(edition="weekly/2023-06-12T0800", total=4000, done={DeliveryState.SENT: 1}))
        bar.show(Progress(edition="weekly/2023-06-12T0800", total=4000, done=done))
    shown = capsys.readouterr()
    assert shown.out == ""
    assert "weekly/2023-06-12T0800" in shown.err
    assert "1,234 of 4,000: 1,200 sent, 30 deferred, 4 failed" in shown.err
    assert "/s" in shown.err
    assert "0:00:" in shown.err

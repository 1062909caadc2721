"""The sample post of a new publication is replaced without a question."""

from datetime import date
from pathlib import Path

import pytest

from ketapress.model import sample_post
from support.cli_runner import ketapress

AT = "2023-06-07T10:05"


@pytest.mark.parametrize("body", [sample_post._BODY, sample_post._BODY_OF_0_1])
@pytest.mark.parametrize("name", ["2023-06-07-first.md", "2023-06-07-welcome-all.md", "first.md"])
def test_ones_own_first_post_takes_its_place(tmp_path: Path, body: str, name: str) -> None:
    ketapress(tmp_path, "init", "--at", AT)
    (sample,) = (tmp_path / "posts").glob("*.md")
    sample.write_text(sample.read_text().split("---\n")[1].join(["---\n", "---\n"]) + body)
    ketapress(tmp_path, "publish", "--at", AT)
    sample.unlink()
    (tmp_path / "posts" / name).write_text("---\ntitle: First\ndate: 2023-06-07\n---\nMy own words.\n")
    outcome = ketapress(tmp_path, "publish", "--at", "2023-06-07T10:06", "--json")
    assert outcome.exit_code == 0
    assert outcome.document["problems"] == []
    feed = (tmp_path / "public" / "feed.xml").read_text()
    assert "My own words" in feed
    assert "sample post" not in feed


def test_an_edited_sample_is_a_post_like_any_other(tmp_path: Path) -> None:
    ketapress(tmp_path, "init", "--at", AT)
    (sample,) = (tmp_path / "posts").glob("*.md")
    sample.write_text(sample.read_text() + "\nMine.\n")
    ketapress(tmp_path, "publish", "--at", AT)
    sample.rename(sample.with_name("2023-06-07-mine.md"))
    outcome = ketapress(tmp_path, "publish", "--at", "2023-06-07T10:06", "--json")
    assert outcome.document["problems"] == []
    assert outcome.result["posts"] == 1


def test_the_sample_says_that_it_is_one() -> None:
    name, text = sample_post.sample_post(date(2023, 6, 7))
    assert name == "2023-06-07-welcome.md"
    assert "sample post" in text

"""From a dated post to feeds, a site, and one edition in the outbox."""

import json
import shutil
from email import message_from_bytes, policy
from pathlib import Path

import pytest

from support.cli_runner import hashes, ketapress

AT = "2023-06-12T09:00"
LATER = "2023-06-19T09:00"


def test_the_seed_becomes_exactly_one_edition(publication: Path) -> None:
    outcome = ketapress(publication, "publish", "--at", AT, "--json")
    assert outcome.exit_code == 0, outcome.stderr
    assert [edition["edition"] for edition in outcome.result["editions"]] == ["weekly/2023-06-12T0800"]
    assert outcome.result["editions"][0]["state"] == "ready"
    assert outcome.result["posts"] == 1
    assert outcome.document["problems"] == []
    folder = publication / "outbox" / "weekly" / "2023-06-12T0800"
    assert {file.name for file in folder.iterdir()} == {
        "edition.json",
        "digest.html",
        "digest.txt",
        "message.eml",
    }


def test_feeds_pages_and_the_edition_hold_the_article(publication: Path) -> None:
    ketapress(publication, "publish", "--at", AT)
    public = publication / "public"
    sentence = "glutamate receptors"
    for name in ("feed.xml", "atom.xml", "feed.json", "archive/weekly/2023-06-12T0800.html"):
        assert sentence in (public / name).read_text(), name
    posts = list(public.rglob("*ketamine-therapy.html"))
    assert len(posts) == 1
    assert sentence in posts[0].read_text()
    assert "Ketamine Therapy" in (public / "index.html").read_text()


def test_the_specimen_opens_in_any_mail_program(publication: Path) -> None:
    ketapress(publication, "publish", "--at", AT)
    raw = (publication / "outbox" / "weekly" / "2023-06-12T0800" / "message.eml").read_bytes()
    message = message_from_bytes(raw, policy=policy.default)
    assert message["Subject"] == "Ketamine Therapy"
    assert message["Date"].datetime.isoformat() == "2023-06-12T08:00:00+00:00"
    assert [part.get_content_type() for part in message.iter_parts()] == ["text/plain", "text/html"]


def test_again_changes_nothing(publication: Path) -> None:
    ketapress(publication, "publish", "--at", AT)
    before = hashes(publication / "public") | hashes(publication / "outbox")
    again = ketapress(publication, "publish", "--at", AT, "--json")
    assert again.result["editions"] == []
    assert again.result["slots"] == []
    assert again.result["written"] == 0
    assert hashes(publication / "public") | hashes(publication / "outbox") == before


def test_another_folder_gives_the_same_bytes(publication: Path) -> None:
    other = publication / "elsewhere"
    other.mkdir()
    shutil.copy(publication / "ketapress.toml", other)
    shutil.copytree(publication / "posts", other / "posts")
    for folder in (publication, other):
        ketapress(folder, "publish", "--at", AT)
    assert hashes(publication / "public") == hashes(other / "public")
    assert hashes(publication / "outbox") == hashes(other / "outbox")
    assert (publication / "posts/.published.jsonl").read_bytes() == (
        other / "posts/.published.jsonl"
    ).read_bytes()


def test_an_edited_post_is_not_mailed_again(publication: Path) -> None:
    ketapress(publication, "publish", "--at", AT)
    post = publication / "posts" / "2023-06-07-ketamine-therapy.txt"
    post.write_text(post.read_text() + "\n\nOne more paragraph.\n")
    outcome = ketapress(publication, "publish", "--at", LATER, "--json")
    assert outcome.result["editions"] == []
    assert outcome.result["slots"] == [
        {"newsletter": "weekly", "slot": "2023-06-19T0800", "decided": "empty"}
    ]
    assert "One more paragraph" in (publication / "public" / "feed.xml").read_text()


def test_a_renamed_post_is_not_mailed_again_and_keeps_its_page(publication: Path) -> None:
    ketapress(publication, "publish", "--at", AT)
    post = publication / "posts" / "2023-06-07-ketamine-therapy.txt"
    post.rename(post.with_name("2023-06-07-another-name.txt"))
    before = {path.relative_to(publication) for path in (publication / "public").rglob("*.html")}
    outcome = ketapress(publication, "publish", "--at", LATER, "--json")
    assert outcome.result["editions"] == []
    assert {path.relative_to(publication) for path in (publication / "public").rglob("*.html")} == before


def test_a_new_post_goes_into_the_next_edition_alone(publication: Path) -> None:
    ketapress(publication, "publish", "--at", AT)
    (publication / "posts" / "2023-06-15-second.md").write_text("---\ntitle: Second\n---\nA second post.\n")
    ketapress(publication, "publish", "--at", "2023-06-15T12:00")
    outcome = ketapress(publication, "publish", "--at", LATER, "--json")
    (edition,) = outcome.result["editions"]
    assert edition["edition"] == "weekly/2023-06-19T0800"
    assert len(edition["posts"]) == 1


def test_a_dry_run_writes_nothing(publication: Path) -> None:
    outcome = ketapress(publication, "publish", "--at", AT, "--dry-run", "--json")
    assert len(outcome.result["editions"]) == 1
    assert outcome.result["written"] > 0
    assert not (publication / "public").exists()
    assert not (publication / "outbox").exists()
    assert not (publication / "posts/.published.jsonl").exists()
    real = ketapress(publication, "publish", "--at", AT, "--json")
    assert real.result["editions"] == outcome.result["editions"]


def test_bad_posts_are_named_and_stop_nothing(publication: Path) -> None:
    (publication / "posts" / "wrong-day.txt").write_text("Friday, June 09, 2022\n\nIt was a Thursday.\n")
    (publication / "posts" / "no-date.md").write_text("No date anywhere.\n")
    outcome = ketapress(publication, "publish", "--at", AT, "--json")
    assert outcome.exit_code == 1
    assert len(outcome.result["editions"]) == 1
    problems = {problem["path"]: problem for problem in outcome.document["problems"]}
    assert set(problems) == {"posts/wrong-day.txt", "posts/no-date.md"}
    assert "Thursday" in problems["posts/wrong-day.txt"]["message"] + problems["posts/wrong-day.txt"]["cure"]
    assert problems["posts/wrong-day.txt"]["line"] == 1
    assert "posts/wrong-day.txt:1" in outcome.stderr


def test_an_edition_after_its_time_waits_for_a_person(publication: Path) -> None:
    toml = publication / "ketapress.toml"
    toml.write_text(toml.read_text() + 'send_within = "2h"\n')
    outcome = ketapress(publication, "publish", "--at", "2023-06-12T12:00", "--json")
    assert outcome.exit_code == 1
    assert outcome.result["editions"][0]["state"] == "held"


def test_edition_json_tells_what_went_out(publication: Path) -> None:
    ketapress(publication, "publish", "--at", AT)
    folder = publication / "outbox" / "weekly" / "2023-06-12T0800"
    manifest = json.loads((folder / "edition.json").read_text())
    assert (manifest["newsletter"], manifest["slot"]) == ("weekly", "2023-06-12T0800")
    assert manifest["posts"][0]["path"] == "2023-06-07-ketamine-therapy.txt"
    message = (folder / "message.eml").read_bytes()
    values = {
        slot["name"]: message[slot["offset"] :][: slot["length"]] for slot in manifest["byte_slots"][:4]
    }
    assert values["to"] == b"reader@example.com"
    assert values["date"] == b"Mon, 12 Jun 2023 08:00:00 +0000"
    assert values["message_id"].startswith(b"<")


def test_a_post_that_may_be_another_under_a_new_name_waits_for_a_person(publication: Path) -> None:
    ketapress(publication, "publish", "--at", AT)
    post = publication / "posts" / "2023-06-07-ketamine-therapy.txt"
    post.with_name("2023-06-14-ketamine-therapy.txt").write_text("Wednesday, June 14, 2023\n\nOther words.\n")
    post.unlink()
    outcome = ketapress(publication, "publish", "--at", LATER, "--json")
    assert outcome.exit_code == 1
    assert outcome.result["editions"] == []
    codes = [problem["code"] for problem in outcome.document["problems"]]
    assert codes == [
        "post.held",
        "edition.fault",
    ]  # the edition of the first slot waits, and has no post any more


@pytest.mark.parametrize(("moved", "over"), [("a", "b"), ("b", "a")])
def test_a_file_may_take_the_place_of_another_whichever_id_comes_first(
    publication: Path, moved: str, over: str
) -> None:
    for name in "ab":
        text = f"---\ntitle: {name}\ndate: 2023-06-08\n---\nWords of {name}.\n"
        (publication / "posts" / f"{name}.md").write_text(text)
    ketapress(publication, "build", "--at", AT)
    (publication / "posts" / f"{moved}.md").rename(publication / "posts" / f"{over}.md")
    for _ in range(2):
        outcome = ketapress(publication, "build", "--at", LATER)
        assert outcome.exit_code == 0, outcome.stderr

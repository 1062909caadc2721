"""The seed article: a dated text without a title becomes a post that looks written for the web."""

from pathlib import Path

import pytest

from ketapress.posts.loader import load_posts
from support.factories import NOW, REPOSITORY, SEED, settings
from support.golden import assert_golden
from support.posts_folder import BERLIN, load_single_post, load_single_problem, write_publication

GOLDEN = Path(__file__).parent / "golden"
TEXT = SEED.read_bytes()


def test_the_seed_becomes_headings_and_paragraphs(tmp_path: Path) -> None:
    assert_golden(
        GOLDEN / "seed.html",
        load_single_post(tmp_path, "2023-06-07-ketamine-therapy.txt", TEXT).html.encode(),
    )


@pytest.mark.parametrize(
    "name", ["2023-06-05-a-feed-is-a-promise.md", "2023-06-08-write-it-as-plain-text-first.html"]
)
def test_our_own_posts_become_clean_html(tmp_path: Path, name: str) -> None:
    post = load_single_post(tmp_path, name, (REPOSITORY / "posts" / name).read_bytes())
    assert post.title
    assert post.tags
    assert_golden(GOLDEN / f"{name}.html", f"{post.html}\n".encode())


def test_the_seed_has_a_title_from_its_name_and_a_summary_of_whole_sentences(tmp_path: Path) -> None:
    post = load_single_post(tmp_path, "2023-06-07-ketamine-therapy.txt", TEXT)
    assert post.title == "Ketamine Therapy"
    assert post.url == "2023/ketamine-therapy.html"
    assert post.summary.startswith("Mental health disorders have become")
    assert post.summary.endswith("fall short for some individuals.")
    assert len(post.summary) <= 280


def test_a_name_like_a_hash_gives_no_title_so_the_first_run_in_heading_does(tmp_path: Path) -> None:
    post = load_single_post(tmp_path, SEED.name, TEXT)
    assert post.title == "Understanding Ketamine Therapy"
    assert post.url == "2023/000-4ad128b82f72c88a.html"


def test_its_bare_date_is_published_at_six_in_the_zone_of_the_site(tmp_path: Path) -> None:
    post = load_single_post(tmp_path, "seed.txt", TEXT, BERLIN)
    assert post.date.isoformat() == "2023-06-07T06:00:00+02:00"
    assert post.published is not None
    assert post.published.isoformat() == "2023-06-07T04:00:00+00:00"


def test_a_wrong_weekday_is_an_error_that_names_the_right_one(tmp_path: Path) -> None:
    problem = load_single_problem(tmp_path, "seed.txt", TEXT.replace(b"Wednesday", b"Friday"))
    assert problem.where == "posts/seed.txt:1"
    assert "Wednesday" in problem.message


@pytest.mark.parametrize("change", [b"\r\n", b"\r"])
def test_line_ends_and_a_byte_order_mark_change_nothing(tmp_path: Path, change: bytes) -> None:
    (post,) = load_posts(write_publication(tmp_path, {"seed.txt": TEXT}), settings(), NOW).posts
    root = write_publication(tmp_path, {"seed.txt": b"\xef\xbb\xbf" + TEXT.replace(b"\n", change)})
    assert load_posts(root, settings(), NOW).posts == (post,)

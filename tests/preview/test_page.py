"""The preview's page of a newsletter: the edition exactly as it is composed, with all its details."""

import html
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from ketapress.web.preview.renditions import RENDITIONS, force_color_scheme
from support.cli_runner import ketapress
from support.preview_process import AT, PAGE, PreviewProcess

URLS = {name: f"{PAGE}/{name}" for name in RENDITIONS}


def get_text(page: str) -> str:
    """Return the visible text of a page."""
    return " ".join(html.unescape(re.sub(r"<[^>]*>", " ", page)).split())


@pytest.fixture
def edition_folder(preview: PreviewProcess, tmp_path: Path) -> Path:
    """The outbox folder of the edition that is composed from the same publication at its send time."""
    copy = shutil.copytree(
        preview.folder, tmp_path / "copy", ignore=shutil.ignore_patterns(".ketapress", "*.db*")
    )
    ketapress(copy, "publish", "--at", "2023-06-12T08:00")
    return copy / "outbox" / "weekly" / "2023-06-12T0800"


def test_the_page_is_the_edition_that_is_then_composed(preview: PreviewProcess, edition_folder: Path) -> None:
    page, message = get_text(preview.get().text), preview.get(f"{PAGE}/message.eml")

    assert message.content == (edition_folder / "message.eml").read_bytes()
    assert message.headers["content-type"] == "message/rfc822"
    assert get_text(html.escape((edition_folder / "digest.txt").read_text())) in page
    for line in message.content.partition(b"\r\n\r\n")[0].decode().splitlines():
        assert line.strip() in page


def test_the_frames_hold_what_is_sent_but_for_scheme_and_links(
    preview: PreviewProcess, edition_folder: Path
) -> None:
    documents = {name: preview.get(address).text for name, address in URLS.items()}
    html_part = (edition_folder / "digest.html").read_text()

    assert documents == {name: rendition.render(html_part) for name, rendition in RENDITIONS.items()}
    assert (
        documents["light"].replace(' target="_blank"', "").partition("<body")[2]
        == html_part.partition("<body")[2]
    )


def test_it_says_when_it_goes_out_in_what_state_and_how_far_it_looks_back(
    publication: Path, serve: Callable[..., PreviewProcess]
) -> None:
    toml = publication / "ketapress.toml"
    toml.write_text(toml.read_text().replace('"UTC"', '"Europe/Berlin"') + 'approval = "one"\n')
    page = get_text(serve(publication).get().text)
    assert "Due Mon 12 Jun 2023, 08:00 CEST" in page
    assert "State awaiting approval this newsletter requires approval by a person" in page
    assert "Sent automatically until Mon 19 Jun 2023, 08:00 CEST" in page
    assert "from Mon 05 Jun 2023, 00:00 CEST to Mon 12 Jun 2023, 08:00 CEST" in page


def test_it_lists_the_posts_with_how_much_of_each_is_shown_and_why_others_are_out(
    publication: Path, serve: Callable[..., PreviewProcess]
) -> None:
    toml = publication / "ketapress.toml"
    toml.write_text(toml.read_text() + "max_bytes = 18000\n")
    for day, size in ((8, 5), (9, 60), (10, 60)):
        text = "A paragraph of some length. " * size
        (publication / "posts" / f"2023-06-{day:02}-post.md").write_text(
            f"---\ntitle: Post of the {day}th\n---\n{text}\n"
        )
    (publication / "posts" / "draft.md").write_text(
        "---\ntitle: Draft\ndate: 2023-06-08\ndraft: true\n---\nx\n"
    )
    page = get_text(serve(publication).get().text)
    posts = ketapress(publication, "explain", "weekly/2023-06-12T0800", "--at", AT, "--json").result["posts"]
    for post in posts:
        assert f"posts/{post['path']}" in page
        assert post["included"] or post["why"] in page
    assert "full Post of the 10th posts/2023-06-10-post.md" in page
    assert "excerpt" in page
    assert "Draft is a draft posts/draft.md" in page


def test_the_sizes_stand_beside_their_limits(preview: PreviewProcess) -> None:
    page, message = preview.get().text, preview.get(f"{PAGE}/message.eml").content
    (size,) = re.findall(r"HTML part</span> <span class=\"told\">([\d,]+) of 92,160 bytes", page)
    assert 0 < int(size.replace(",", "")) < len(message)
    assert f"Whole message {len(message):,} bytes" in get_text(page)


def test_findings_name_the_post_the_line_and_the_cure(
    publication: Path, serve: Callable[..., PreviewProcess]
) -> None:
    (publication / "posts" / "broken.md").write_text("---\ntitle: [\n---\nx\n")
    (publication / "posts" / "2023-06-08-marks.md").write_text("---\ntitle: Marks\n---\n\nHello {{ name }}\n")
    problems = ketapress(publication, "preview", "--at", AT, "--json").document["problems"]
    assert len(problems) >= 2
    page = get_text(serve(publication).get().text)
    for problem in problems:
        location = f"{problem['path']}:{problem['line']}" if problem["line"] else problem["path"]
        assert (
            get_text(html.escape(f"{problem['severity']} {location} {problem['message']} {problem['cure']}"))
            in page
        )


def test_every_newsletter_has_its_page(publication: Path, serve: Callable[..., PreviewProcess]) -> None:
    toml = publication / "ketapress.toml"
    second = toml.read_text().partition("[newsletters.weekly]")[2].replace("Weekly", "Monthly")
    toml.write_text(f"{toml.read_text()}\n[newsletters.monthly]{second.replace('* * mon', '1 * *')}")
    preview = serve(publication)
    assert preview.get("/").headers["location"] == PAGE
    assert "/newsletter/monthly" in preview.get().text
    assert "monthly/2023-07-01T0800" in get_text(preview.get("/newsletter/monthly").text)
    monthly_preview = serve(publication, "monthly", "--port", "0")
    assert monthly_preview.get("/").headers["location"] == "/newsletter/monthly"


@pytest.mark.parametrize("path", ["/newsletter/nobody", f"{PAGE}/nothing", "/newsletter/nobody/light", "/x"])
def test_what_is_not_there_is_not_found(preview: PreviewProcess, path: str) -> None:
    assert preview.get(path).status == 404


def test_with_nothing_new_it_says_so(publication: Path, serve: Callable[..., PreviewProcess]) -> None:
    ketapress(publication, "publish", "--at", "2023-06-12T09:00")
    page = get_text(serve(publication, "--port", "0", "--at", "2023-06-12T10:00").get().text)
    assert "Nothing new by the next slot" in page
    assert "Composed and not sent yet ready Ketamine Therapy weekly/2023-06-12T0800" in page


def test_a_page_without_newsletters_says_what_to_add(
    publication: Path, serve: Callable[..., PreviewProcess]
) -> None:
    toml = publication / "ketapress.toml"
    toml.write_text(toml.read_text().partition("[newsletters.weekly]")[0])
    assert "Add [newsletters.weekly] to ketapress.toml" in get_text(serve(publication).get("/").text)


def test_a_scheme_is_written_into_style_sheets_and_nowhere_else() -> None:
    text = "<p>(prefers-color-scheme: dark)</p>"
    page = (
        '<meta name="color-scheme" content="light dark"><style>:root { color-scheme: light dark; }'
        "@media (prefers-color-scheme:dark) { p { color: white } } @media (prefers-color-scheme: light) {}</style>"
    )
    assert (
        force_color_scheme(page + text, "dark")
        == (
            '<meta name="color-scheme" content="dark"><style>:root { color-scheme: dark; }'
            "@media (min-width: 0) { p { color: white } } @media (max-width: 0) {}</style>"
        )
        + text
    )
    assert "@media (max-width: 0) { p { color: white } }" in force_color_scheme(page, "light")

"""Links and media of this site that lead nowhere are named as the post writes them."""

from pathlib import Path
from typing import Any

import pytest

from support.cli_runner import ketapress

AT = "2023-06-12T09:00"


def dead(publication: Path, body: str, header: str = "") -> list[dict[str, Any]]:
    (publication / "posts" / "2023-06-08-a.md").write_text(f"---\ntitle: A\n{header}---\n{body}\n")
    ketapress(publication, "publish", "--at", AT)
    problems = ketapress(publication, "check", "--at", AT, "--json").document["problems"]
    return [problem for problem in problems if problem["code"] == "post.dead-link"]


@pytest.mark.parametrize(
    ("body", "spelling"),
    [
        ("[paper](paper.pdf)", "paper.pdf"),
        ("[paper](files/my%20paper.pdf)", "files/my%20paper.pdf"),
        ('<video src="clip.mp4" controls></video>', "clip.mp4"),
        ("[x](/2019/gone.html)", "/2019/gone.html"),
        ("[x](../gone/)", "../gone/"),
        ("[x](https://example.org/nowhere/)", "https://example.org/nowhere/"),
        ("[x](/nowhere#part)", "/nowhere"),
    ],
)
def test_a_link_that_leads_nowhere_is_named(publication: Path, body: str, spelling: str) -> None:
    (problem,) = dead(publication, body)
    assert f"`{spelling}`" in problem["message"]
    assert (problem["path"], problem["line"]) == ("posts/2023-06-08-a.md", 4)


def test_an_image_of_the_header_is_named(publication: Path) -> None:
    (problem,) = dead(publication, "Text.", "image: /pictures/none.jpg\n")
    assert "`/pictures/none.jpg`" in problem["message"]
    assert problem["line"] == 3


@pytest.mark.parametrize(
    "body",
    [
        "[x](2023-06-07-ketamine-therapy.txt)",
        "[x](/2023/ketamine-therapy.html#a)",
        "[x](/)",
        "[x](/feed.xml) [y](/2023/) [z](/old/)",
        "[x](https://elsewhere.example/paper.pdf)",
        "[x](mailto:a@example.org)",
        "[x](#part)",
        "[p](beside.pdf)",
    ],
)
def test_what_leads_somewhere_is_not(publication: Path, body: str) -> None:
    (publication / "posts" / "beside.pdf").write_bytes(b"%PDF-1.4 a paper")
    assert dead(publication, body, "aliases: [/old/]\n") == []

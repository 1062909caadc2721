"""Links of other posts and sites lead to the headings of a post's page."""

import re
from pathlib import Path

import pytest

from ketapress.site.html import post_body
from support.cli_runner import ketapress

AT = "2023-06-12T09:00"


@pytest.mark.parametrize(
    ("heading", "names"),
    [
        ("My frag", ["my-frag"]),
        ("What's new?", ["whats-new", "what-s-new"]),
        ("Caf\u00e9 &amp; bar", ["caf\u00e9--bar", "cafe-bar"]),
        ("<code>a_b</code> and <em>c</em>", ["a_b-and-c", "a-b-and-c"]),
        ("\u6f22\u5b57", ["\u6f22\u5b57"]),
        ("?!", []),
    ],
)
def test_a_heading_has_the_ids_of_both_rules(heading: str, names: list[str]) -> None:
    assert re.findall(r'id="([^"]*)"', post_body(f"<h2>{heading}</h2>", "")) == names


def test_each_id_is_there_once() -> None:
    html = post_body('<h2>A</h2><h3>A</h3><p id="a-2">x</p><h2>A</h2>', "")
    names = re.findall(r'id="([^"]*)"', html)
    assert names == ["a", "a-1", "a-2", "a-3"]


def test_an_id_of_its_own_stays_and_its_short_name_leads_there() -> None:
    html = post_body('<h2 id="p0123abcd-mine">The heading</h2>', "")
    assert re.findall(r'id="([^"]*)"', html) == ["p0123abcd-mine", "mine", "the-heading"]


@pytest.mark.parametrize("link", ["2023-06-08-other.md#my-frag", "/2023/other.html#my-frag"])
@pytest.mark.parametrize("heading", ["## My frag", "## My frag\n\n[up](#my-frag)", "My frag\n-------"])
def test_a_link_to_a_heading_of_another_post_leads_there(publication: Path, link: str, heading: str) -> None:
    posts = publication / "posts"
    (posts / "2023-06-07-a.md").write_text(f"---\ntitle: A\n---\nsee [there]({link})\n")
    (posts / "2023-06-08-other.md").write_text(f"---\ntitle: O\n---\n{heading}\noo\n")
    ketapress(publication, "publish", "--at", AT)
    page = (publication / "public" / "2023" / "a.html").read_text()
    target = re.search(r'other\.html#([^"]+)"', page)
    assert target
    assert f'id="{target[1]}"' in (publication / "public" / "2023" / "other.html").read_text()

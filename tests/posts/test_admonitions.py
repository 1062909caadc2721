"""Admonitions in the syntax of other tools become block quotes with their title in bold."""

import time
from pathlib import Path

import pytest

from ketapress.posts.dialects.admonitions import convert_admonitions
from ketapress.posts.dialects.paired_shortcodes import convert_paired_shortcodes
from support.golden import assert_golden
from support.posts_folder import load_single_post

GOLDEN = Path(__file__).parent / "golden"
BLOCKQUOTE = "<blockquote>\n<p><strong>{}</strong></p>\n<p>Text <em>x</em></p>\n</blockquote>"
EVERY_SYNTAX = """Every box below says where it comes from.

> [!WARNING]
> GitHub: a *warning*
> over two lines.

> [!tip]- Obsidian, folded
> With a list:
>
> - one
> - two

!!! note "MkDocs"
    With code:

    ```python
    x = 1
    !!! not a box
    ```

??? question
    And one that folds.

=== "First tab"

    In the first.

=== "Second tab"

    In the second.

:::info[Docusaurus]
A box, and

:::danger
one in it.
:::
:::

::: {.callout-tip title="Quarto"}
With attributes.
:::

::: columns
Only what is in it.
:::

{{< notice tip >}}
Hugo, with a [link](/about).
{{< /notice >}}

{% note warning %}
Hexo.
{% endnote %}

- In a list:

  ::: tip
  Still in the list.
  :::

- The end.
"""


@pytest.mark.parametrize(
    ("text", "title"),
    [
        ("> [!NOTE]\n> Text *x*", "Note"),
        ("> [!important] Its own\n> Text *x*", "Its own"),
        ("> [!faq]+ Why?\n> Text *x*", "Why?"),
        ("!!! tip\n    Text *x*", "Tip"),
        ('???+ danger "Look out"\n    Text *x*', "Look out"),
        ("!!! note inline end\n\tText *x*", "Note"),
        ("::: tip\nText *x*\n:::", "Tip"),
        (":::caution Its own\n\nText *x*\n\n:::", "Its own"),
        (":::note[Its own]\nText *x*\n:::", "Its own"),
        ('::: {.callout-note title="Its own"}\nText *x*\n:::', "Its own"),
        ("::: warning\nText *x*", "Warning"),
        ("{{% hint info %}}\nText *x*\n{{% /hint %}}", "Info"),
        ('{{< admonition type=bug title="Its own" open=false >}}\nText *x*\n{{< /admonition >}}', "Its own"),
        ("{% note success no-icon %}\nText *x*\n{% endnote %}", "Success"),
        ("{% details A title %}\nText *x*\n{% enddetails %}", "A title"),
    ],
)
def test_a_box(tmp_path: Path, text: str, title: str) -> None:
    assert load_single_post(tmp_path, "2023-06-07-x.md", text).html == BLOCKQUOTE.format(title)


@pytest.mark.parametrize(
    "text",
    [
        "```\n::: tip\n!!! note\n    x\n> [!NOTE]\n```",
        "> a\n> [!NOTE]\n> b",
        "!!! really nice\ntext",
        "a [!x] and ::: and !!! b",
        "[![badge](x)](y)",
    ],
)
def test_no_box(text: str) -> None:
    assert convert_admonitions(text) == text


def test_a_box_without_a_title_has_none(tmp_path: Path) -> None:
    post = load_single_post(tmp_path, "2023-06-07-x.md", '!!! note ""\n    Text\n\n::: quote\nMore\n:::')
    assert post.html == "<blockquote>\n<p>Text</p>\n</blockquote>\n<blockquote>\n<p>More</p>\n</blockquote>"


def test_a_summary_is_what_a_box_says_and_not_its_title(tmp_path: Path) -> None:
    assert load_single_post(tmp_path, "2023-06-07-x.md", "> [!NOTE]\n> First.\n\nSecond.").summary == "First."


def test_every_way_in_one_post(tmp_path: Path) -> None:
    assert_golden(
        GOLDEN / "admonitions.html", load_single_post(tmp_path, "2023-06-07-x.md", EVERY_SYNTAX).html.encode()
    )


@pytest.mark.parametrize(
    "text",
    [
        "::: tip\n" * 50_000,
        "::: tip\n" * 50_000 + ":::\n" * 50_000,
        "!!! tip\n    x\n" * 20_000,
        ":::a" + " " * 200_000 + "x",
        "> [!a]\n" * 50_000,
        "".join(" " * (4 * depth) + "!!! tip\n" for depth in range(400)) + " " * 1600 + "x",
        ":::note " + 'title="' * 30_000,
        "```a\n" * 50_000 + "::: tip\n:::",
    ],
)
def test_boxes_that_hurt_take_no_time(text: str) -> None:
    start = time.process_time()
    convert_admonitions(text)
    assert time.process_time() - start < 3


@pytest.mark.parametrize(
    "text",
    [
        "{{\n" + "```a\n" * 50_000,
        "{% highlight x %}\n" * 20_000,
        "[caption]" * 20_000,
        "[caption]<img " * 20_000,
        "{{< notice " * 20_000,
        "[embed]https://x" * 20_000,
        "[code]\n" * 20_000,
    ],
)
def test_pairs_that_hurt_take_no_time(text: str) -> None:
    start = time.process_time()
    convert_paired_shortcodes(text, is_html=False)
    assert time.process_time() - start < 3

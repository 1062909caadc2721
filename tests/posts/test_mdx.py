"""MDX files: Markdown with components, which nobody runs here."""

from pathlib import Path

import pytest
from hypothesis import given, strategies as st

from ketapress.posts.mdx import page
from postfolder import built, only, publication

POST = """---
title: "Buttons"
date: 2023-05-06
---

import { Button } from '@site/src/components'
import styles from "./styles.module.css"

export const Loud = ({children}) => (
  <b className={styles.loud}>{children}</b>
)

{/* truncate
  here */}

# Buttons

<Callout type="note" icon={{ name: "star" }}>

A **note** with <Loud>a word</Loud>.

</Callout>

<Tabs.Item value='x' />

import duties rose, and so did <b>costs</b>.

```jsx
import React from 'react'
<Button />
```

Write `<Button />` or ``<A> ` </A>``.
"""


def test_what_stands_between_components_is_the_post(tmp_path: Path) -> None:
    (post,) = built(publication(tmp_path, {"x.mdx": POST})).posts

    assert post.html.split("\n") == [
        "<p>A <strong>note</strong> with a word.</p>",
        "<p>import duties rose, and so did <b>costs</b>.</p>",
        "<pre><code class=\"language-jsx\">import React from 'react'",
        "&lt;Button /&gt;",
        "</code></pre>",
        "<p>Write <code>&lt;Button /&gt;</code> or <code>&lt;A&gt; ` &lt;/A&gt;</code>.</p>",
    ]
    assert post.title == "Buttons"


def test_components_are_named_with_their_lines(tmp_path: Path) -> None:
    (problem,) = built(publication(tmp_path, {"x.mdx": POST})).problems

    assert str(problem.severity) == "warning"
    assert problem.line == 18
    assert "`<Callout>` (line 18), `<Loud>` (line 20), `<Tabs.Item>` (line 24)" in problem.message


@pytest.mark.parametrize("name", ["meta", "metadata", "frontmatter", "meta: Meta"])
def test_what_it_states_of_itself_is_its_header(tmp_path: Path, name: str) -> None:
    stated = f'export const {name} = {{\n  title: \'A "post"\',\n  date: "2023-05-06",\n\n  draft: draft,\n}};\n\nText.\n'
    post = only(tmp_path, "x.mdx", f"import x from 'x'\n\n{stated}")

    assert (post.title, post.html, f"{post.date:%Y-%m-%d}") == ('A "post"', "<p>Text.</p>", "2023-05-06")


@given(
    st.lists(
        st.sampled_from(
            [*"<>/{}`'\"~\n =A", "<A", "/>", "import a", "export {", "```\n", "{/*", "*/}", "\n\n"]
        )
    ).map("".join)
)
def test_no_text_loses_a_line(text: str) -> None:
    assert page(text, 1).body.count("\n") == text.count("\n")

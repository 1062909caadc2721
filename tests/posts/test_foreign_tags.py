"""Tags of other tools: expanded if they are known, else shown and reported; never a broken URL."""

import re
from pathlib import Path

import pytest

from ketapress.model.errors import Severity
from ketapress.posts.library import Library
from ketapress.posts.loader import load_posts
from support.factories import NOW, settings
from support.posts_folder import write_publication

HEADER = "---\ndate: 2023-06-07\n---\n"


def load(root: Path, text: str, name: str = "x.md") -> Library:
    return load_posts(write_publication(root, {name: HEADER + text}), settings(), NOW)


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("![a]({{ site.baseurl }}/b.png)", '<p><img src="https://example.org/b.png" alt="a"></p>'),
        ("[a]({{ site.url }}{{ site.baseurl }}/b/#c)", '<p><a href="https://example.org/b/#c">a</a></p>'),
        ('[a]({{ "/b" | relative_url }})', '<p><a href="https://example.org/b">a</a></p>'),
        ("[a]({{ '/b' | url }})", '<p><a href="https://example.org/b">a</a></p>'),
        ("Text\n{: .lead}", "<p>Text</p>"),
        ("| a |\n|---|\n| b |\n{: .c}", "<table>\n<thead>\n<tr>\n<th>a</th>\n</tr>\n</thead>\n<tbody>\n<tr>\n<td>b</td>\n</tr>\n</tbody>\n</table>"),
        ("# A\n{: .no_toc}\n\nText", "<p>Text</p>"),
        ('[a](/b){:target="_blank"} c', '<p><a href="https://example.org/b">a</a> c</p>'),
        ("{% raw %}`{{ x }}`{% endraw %}", "<p><code>{{ x }}</code></p>"),
        ("{# a comment #}Text", "<p>Text</p>"),
        ("`{{ x | y }}` and `{% if %}`", "<p><code>{{ x | y }}</code> and <code>{% if %}</code></p>"),
        ('```jinja\n{% for x in "y" %}\n{{ x }}\n```', '<pre><code class="language-jinja">{% for x in &quot;y&quot; %}\n{{ x }}\n</code></pre>'),
        ("{% highlight ruby %}\nputs 1 < 2\n\n{{ x }}\n{% endhighlight %}", '<pre><code class="language-ruby">puts 1 &lt; 2\n\n{{ x }}\n</code></pre>'),
        ('{{< highlight go "linenos=table" >}}\nx := 1\n{{< /highlight >}}', '<pre><code class="language-go">x := 1\n</code></pre>'),
        ("{% highlight html %}\n{% raw %}\n<b>{{ x }}\n{% endraw %}\n{% endhighlight %}", '<pre><code class="language-html">&lt;b&gt;{{ x }}\n</code></pre>'),
        ("{% highlight sh %}\nls\n{% endhighlight %} and on", '<pre><code class="language-sh">ls\n</code></pre>\n<p>and on</p>'),
        ("{% codeblock A title lang:ruby https://example.org/x %}\nputs 1\n{% endcodeblock %}", '<pre><code class="language-ruby">puts 1\n</code></pre>'),
        ("{% codeblock %}\nputs 1\n{% endcodeblock %}", "<pre><code>puts 1\n</code></pre>"),
        ("1. a\n   {% highlight sh %}\n   ls -l\n   {% endhighlight %}\n2. b", '<ol>\n<li>a\n<pre><code class="language-sh">ls -l\n</code></pre>\n</li>\n<li>b</li>\n</ol>'),
        ('<img src="{{ "/assets/x.jpg" }}">', '<img src="https://example.org/assets/x.jpg">'),
        ("Text\n\n{% more %}\n\n{{ toc() }}\n\n{{< toc >}}\n\n[TOC]", "<p>Text</p>"),
        ("Text {.lead}\n\n![a](/b.png){width=100}{#c .d} e", '<p>Text</p>\n<p><img src="https://example.org/b.png" alt="a"> e</p>'),
        ("`[TOC]` and `a {#b}`", "<p><code>[TOC]</code> and <code>a {#b}</code></p>"),
        ("```css\na {.b}\n[TOC]\n```", '<pre><code class="language-css">a {.b}\n[TOC]\n</code></pre>'),
        ("Text {#note} and {.b} in it", "<p>Text {#note} and {.b} in it</p>"),
        ('{% figure "https://x.org/a.png", "An image" %}', '<p><img src="https://x.org/a.png" alt="An image"></p>'),
        ("{% img left /images/a.png 100 200 'A title' 'An image' %}", '<p><img src="https://example.org/images/a.png" alt="An image"></p>'),
        ('{{< figure src="/img/x.jpg" title="A title" alt="An image" >}}', '<p><img src="https://example.org/img/x.jpg" alt="An image"></p>'),
        ('{{< figure src="/a.png" caption="See [*the* cat](/b) & me" >}}', '<figure><img src="https://example.org/a.png" alt=""><figcaption>See the cat &amp; me</figcaption></figure>'),
        ('{% include figure image_path="/a.png" alt="A" caption=`B` %}', '<figure><img src="https://example.org/a.png" alt="A"><figcaption>B</figcaption></figure>'),
        ('Text {{< figure src="/a.png" caption="B" >}}', '<p>Text <img src="https://example.org/a.png" alt="B"></p>'),
        ('`{{< figure src="/img/x.jpg" >}}`', "<p><code>{{&lt; figure src=&quot;/img/x.jpg&quot; &gt;}}</code></p>"),
        ("`{{</* a b */>}}` and {{%/* c */%}}", "<p><code>{{&lt; a b &gt;}}</code> and {{% c %}}</p>"),
        ("[a](/b){ .c } ![d](/e.png){ align=left }", '<p><a href="https://example.org/b">a</a> <img src="https://example.org/e.png" alt="d"></p>'),
        ("A {brace} and {{", "<p>A {brace} and {{</p>"),
        ("Use {% highlight sh %}ls -l{% endhighlight %} now", "<p>Use <code>ls -l</code> now</p>"),
        ("Use {% highlight sh %}ls `x`{% endhighlight %}", "<p>Use <code>ls `x`</code></p>"),
        ("~~~\n{% highlight sh %}\nls\n{% endhighlight %}\n~~~", "<pre><code>{% highlight sh %}\nls\n{% endhighlight %}\n</code></pre>"),
        ("* TOC\n{:toc}\n\nText", "<p>Text</p>"),
        ("Text\n\n[[_TOC_]]", "<p>Text</p>"),
        ("Text{% comment %} not\n\nthis {% endcomment %}\n\n{::comment}\nnor this\n{:/comment}", "<p>Text</p>"),
        ("{% asset_img cat.png A cat %}", '<p><img src="https://example.org/2023/cat.png" alt="A cat"></p>'),
        ('{% include figure image_path="/a.png" alt="An a" %}', '<p><img src="https://example.org/a.png" alt="An a"></p>'),
        ("![[a cat.png|A cat]] ![[b.png|300]]", '<p><img src="https://example.org/2023/a%20cat.png" alt="A cat"> <img src="https://example.org/2023/b.png" alt=""></p>'),
        ("[[1]](/b) and [[2]] and `[[c]]` if [[ -f d ]]\n\n[2]: /e", '<p><a href="https://example.org/b">[1]</a> and [<a href="https://example.org/e">2</a>] and <code>[[c]]</code> if [[ -f d ]]</p>'),
        ("{{< lead >}}\nText **a**\n{{< /lead >}}", "<p>Text <strong>a</strong></p>"),
        ('{{< collapse summary="A **title**" >}}\nText\n{{< /collapse >}}', "<p><strong>A title</strong><br>\nText</p>"),
        ("{% hideToggle A title %}\nText\n{% endhideToggle %}", "<p><strong>A title</strong><br>\nText</p>"),
        ("{% fold info @A title %}\nText\n{% endfold %}", "<p><strong>A title</strong><br>\nText</p>"),
        ("{% a() %}\nText {% b(c=1) %}d{% end %}\n{% end %}", "<p>Text d</p>"),
        ("See {{< badge >}}a{{< /badge >}} and `{{< badge >}}`", "<p>See a and <code>{{&lt; badge &gt;}}</code></p>"),
        ('{{< button href="/a" >}}\n{{< icon "b" >}} Text\n{{< /button >}}', '<a href="https://example.org/a"> Text\n</a>'),
        ("{{< mermaid >}}\nA-->B\n{{< /mermaid >}}", '<pre><code class="language-mermaid">A--&gt;B\n</code></pre>'),
        ('{{< codeblock lang="sh" title="a" >}}\nls <b>\n{{< /codeblock >}}', '<pre><code class="language-sh">ls &lt;b&gt;\n</code></pre>'),
        ("{% blockquote Ada, Notes https://example.net/a?b=1 %}\nText\n{% endblockquote %}", '<blockquote>\n<p><strong>Ada, Notes <a href="https://example.net/a?b=1">https://example.net/a?b=1</a></strong></p>\n<p>Text</p>\n</blockquote>'),
        ('{{< quote author="Ada" source="Notes" >}}\nText\n{{< /quote >}}', "<blockquote>\n<p><strong>Ada, Notes</strong></p>\n<p>Text</p>\n</blockquote>"),
        ('{{< alert "star" >}}\nText\n{{< /alert >}}', "<blockquote>\n<p>Text</p>\n</blockquote>"),
        ("{% label primary @Text %} {% link a https://example.net/x true %} {% btn https://example.net/x, b, c %}", '<p>Text <a href="https://example.net/x">a</a> <a href="https://example.net/x">b</a></p>'),
        ('{% image "./a.jpg", "A cat", "50vw" %}', '<p><img src="https://example.org/2023/a.jpg" alt="A cat"></p>'),
        ("{% iframe https://example.net/x?a=1 100% 500 %}", '<p><a href="https://example.net/x?a=1">https://example.net/x?a=1</a></p>'),
        ("Text %%not this%% at 100%% or 50%%\n\n%%\nnor this\n%%", "<p>Text  at 100%% or 50%%</p>"),
        ("HTML\n\n*[HTML]: Hyper Text", "<p>HTML</p>"),
        ('\\[caption id="a\\_1"\\][![b](/c.png)](/d) Text\\[/caption\\]', '<figure><a href="https://example.org/d"><img src="https://example.org/c.png" alt="b"></a><figcaption>Text</figcaption></figure>'),
        ("[sourcecode lang='php']<?php a(); ?>[/sourcecode]", '<pre><code class="language-php">&lt;?php a(); ?&gt;\n</code></pre>'),
        ("{{< youtube dQw4w9WgXcQ >}}", '<p><a href="https://www.youtube.com/watch?v=dQw4w9WgXcQ">https://www.youtube.com/watch?v=dQw4w9WgXcQ</a></p>'),
        ('{{ vimeo(id="146022717") }}', '<p><a href="https://vimeo.com/146022717">https://vimeo.com/146022717</a></p>'),
        ('{% include video id="dQw4w9WgXcQ" provider="youtube" %}', '<p><a href="https://www.youtube.com/watch?v=dQw4w9WgXcQ">https://www.youtube.com/watch?v=dQw4w9WgXcQ</a></p>'),
        ("{% gist ada/0123456789abcdef %}", '<p><a href="https://gist.github.com/ada/0123456789abcdef">https://gist.github.com/ada/0123456789abcdef</a></p>'),
        ("{% embed https://example.net/x %}", '<p><a href="https://example.net/x">https://example.net/x</a></p>'),
        ('[caption id="a" width="3"]<a href="/x"><img src="/y.png" /></a> A text[/caption]\n\nText', '<figure><a href="https://example.org/x"><img src="https://example.org/y.png"></a><figcaption>A text</figcaption></figure>\n<p>Text</p>'),
        ("[caption]![a](/b.png) A text[/caption]", '<figure><img src="https://example.org/b.png" alt="a"><figcaption>A text</figcaption></figure>'),
        ('[sourcecode language="python"]\nx = 1 < 2\n[/sourcecode]', '<pre><code class="language-python">x = 1 &lt; 2\n</code></pre>'),
        ("[embed]https://example.net/x[/embed]", '<p><a href="https://example.net/x">https://example.net/x</a></p>'),
        ("[gallery](/a) and [video][b]\n\n[b]: /c", '<p><a href="https://example.org/a">gallery</a> and <a href="https://example.org/c">video</a></p>'),
    ],
)  # fmt: skip
def test_marks_that_are_understood(tmp_path: Path, text: str, html: str) -> None:
    library = load(tmp_path, text)
    assert [str(problem) for problem in library.problems] == []
    assert library.posts[0].html == html


@pytest.mark.parametrize(
    ("text", "html", "tag"),
    [
        ("Hello {{ page.title }}", "<p>Hello {{ page.title }}</p>", "{{ page.title }}"),
        ("{% include x.html a='<b>' %}", "<p>{% include x.html a=&#x27;&lt;b&gt;&#x27; %}</p>", "{% include x.html a='<b>' %}"),
        ("[a]({{ page.url }})", "<p>a</p>", "{{ page.url }}"),
        ("![b]({{< c >}})", "<p>b</p>", "{{< c >}}"),
        ("{{< youtube id >}}", "<p>{{&lt; youtube id &gt;}}</p>", "{{< youtube id >}}"),
        ("*{{ a }}* `{{ b }}`", "<p><em>{{ a }}</em> <code>{{ b }}</code></p>", "{{ a }}"),
        ('<a href="{{ x }}">a</a>', "<p>a</p>", "{{ x }}"),
        ('[gallery ids="1,2"]', "<p>[gallery ids=&quot;1,2&quot;]</p>", '[gallery ids="1,2"]'),
        ("[[!tag a]]", "<p>[[!tag a]]</p>", "[[!tag a]]"),
        ("{% if a %}b{% endif %}", "<p>{% if a %}b{% endif %}</p>", "{% if a %}"),
        ("{{< notice tip >}}", "<p>{{&lt; notice tip &gt;}}</p>", "{{< notice tip >}}"),
    ],
)  # fmt: skip
def test_marks_that_are_not(tmp_path: Path, text: str, html: str, tag: str) -> None:
    library = load(tmp_path, "Text.\n\n" + text)
    assert library.posts[0].html == "<p>Text.</p>\n" + html
    (problem,) = library.problems
    assert (problem.code, problem.severity, problem.where) == (
        "post.template",
        Severity.WARNING,
        "posts/x.md:6",
    )
    assert f"`{tag}` (line 6)" in problem.message


def test_marks_in_html(tmp_path: Path) -> None:
    library = load(
        tmp_path, '<p title="{{ a }}">{{ b &amp; c }}</p><img src="{{ site.url }}/d.png">', "x.html"
    )
    assert (
        library.posts[0].html == '<p title="{{ a }}">{{ b &amp; c }}</p><img src="https://example.org/d.png">'
    )
    assert library.problems[0].code == "post.template"


def test_a_mark_brings_no_character_that_may_not_leave(tmp_path: Path) -> None:
    assert load(tmp_path, "{% a\x1b %} [b]({{ '/c\x1bd' }})").posts[0].html == (
        '<p>{% a %} <a href="https://example.org/cd">b</a></p>'
    )


def test_plain_text_is_no_template(tmp_path: Path) -> None:
    library = load_posts(
        write_publication(tmp_path, {"x.txt": "June 7, 2023\n\n{{ x }} {: .y}"}), settings(), NOW
    )
    assert library.posts[0].html == "<p>{{ x }} {: .y}</p>"
    assert library.problems == ()


def test_a_link_to_the_file_of_another_post_leads_to_its_page(tmp_path: Path) -> None:
    files = {
        "notes/a.md": HEADER
        + "[b](../2023-06-06-b.txt#x) [c](c%20d.md) [e](e.md) [f](https://example.net/f.md)",
        "2023-06-06-b.txt": "June 6, 2023\n\nText",
        "notes/c d.md": HEADER + "Text of c",
    }
    library = load_posts(write_publication(tmp_path, files), settings(), NOW)
    assert library.posts[1].html == (
        '<p><a href="https://example.org/2023/b.html#x">b</a> <a href="https://example.org/2023/c-d.html">c</a>'
        ' <a href="https://example.org/2023/e.md">e</a> <a href="https://example.net/f.md">f</a></p>'
    )


def test_a_link_that_another_tool_makes_from_a_file_leads_to_the_post(tmp_path: Path) -> None:
    files = {
        "2023-06-06-b.md": "Text of b",
        "notes/c.markdown": HEADER + "Text of c",
        "x.md": HEADER
        + '[a]({% post_url 2023-06-06-b %}) [b]({{ site.baseurl }}{% link _posts/2023-06-06-b.md %}) [c]({{< ref "gone" >}})'
        ' [d]({{% relref "/notes/c.markdown" %}}) [e]({filename}2023-06-06-b.md#x) [f](|filename|/notes/c.markdown)'
        " [g](@/blog/2023-06-06-b.md) ![h]({static}/h.png)",
    }
    library = load_posts(write_publication(tmp_path, files), settings(), NOW)
    (problem,) = library.problems
    assert problem.code == "post.address"
    assert '`{{< ref "gone" >}}`' in problem.message
    url_b, url_c = "https://example.org/2023/b.html", "https://example.org/2023/c.html"
    assert library.posts[2].html == (
        f'<p><a href="{url_b}">a</a> <a href="{url_b}">b</a> c <a href="{url_c}">d</a> <a href="{url_b}#x">e</a> <a href="{url_c}">f</a>'
        f' <a href="{url_b}">g</a> <img src="https://example.org/h.png" alt="h"></p>'
    )


def test_pages_that_only_another_tool_knows_are_no_broken_addresses(tmp_path: Path) -> None:
    text = "[a]({index}) [b]({tag}x) ![c]({attach}d.png) ![e](__GHOST_URL__/f.png)"
    files = {"x.md": "---\ndate: 2023-06-07\nimage: '{static}/g.png'\n---\n" + text}
    library = load_posts(write_publication(tmp_path, files), settings(), NOW)
    (post,), (problem,) = library.posts, library.problems
    assert post.html == (
        '<p><a href="https://example.org/">a</a> b <img src="https://example.org/2023/d.png" alt="c">'
        ' <img src="https://example.org/f.png" alt="e"></p>'
    )
    assert post.image
    assert post.image.url == "https://example.org/g.png"
    assert problem.code == "post.address"


def test_files_lie_where_hexo_and_obsidian_keep_them(tmp_path: Path) -> None:
    files: dict[str, str | bytes] = {
        "x.md": HEADER
        + "{% asset_img a.png %} {% asset_link b.pdf B %} ![[c.png]] ![[b.pdf#page=2|C]] {% post_link y 'Y' %}",
        **dict.fromkeys(("x/a.png", "x/b.pdf", "deep/er/c.png"), b"x"),
        "y.md": HEADER + "![[d.mp3]]",
        "z/d.mp3": b"",
        "z/z/d.mp3": b"",
    }
    library = load_posts(write_publication(tmp_path, files), settings(), NOW)
    x, y = library.posts
    files_url = "https://example.org/files"
    assert x.html == (
        f'<p><img src="{files_url}/x/a.png" alt=""> <a href="{files_url}/x/b.pdf">B</a> <img src="{files_url}/deep/er/c.png" alt="">'
        f' <a href="{files_url}/x/b.pdf#page=2">C</a> <a href="https://example.org/2023/y.html">Y</a></p>'
    )
    assert x.files == ("x/a.png", "x/b.pdf", "deep/er/c.png")
    assert y.html == '<p><a href="https://example.org/2023/d.mp3">d.mp3</a></p>'  # there are two of that name


def test_a_link_of_a_wiki_leads_to_the_note_that_it_names(tmp_path: Path) -> None:
    files = {
        "A note.md": HEADER + "Text of the note",
        "x.md": HEADER + "[[A note]], [[A note#Part|that]], ![[A note]], [[#Here]], [[Gone|this one]].",
        "y.html": HEADER + "<p>[[A note]]</p>",
    }
    library = load_posts(write_publication(tmp_path, files), settings(), NOW)
    note_url, fragment_url = "https://example.org/2023/a-note.html", "https://example.org/2023/x.html#Here"
    assert library.posts[1].html == (
        f'<p><a href="{note_url}">A note</a>, <a href="{note_url}#Part">that</a>, <a href="{note_url}">A note</a>,'
        f' <a href="{fragment_url}">Here</a>, this one.</p>'
    )
    assert library.posts[2].html == "<p>[[A note]]</p>"
    (problem,) = library.problems
    assert problem.code == "post.address"
    assert "`[[Gone|this one]]`" in problem.message


def test_a_link_that_leads_nowhere_is_its_text_and_is_named(tmp_path: Path) -> None:
    library = load(tmp_path, "Text [*a*]({% link _posts/gone.md %}) and <a id=x href='ftp:x'>b</a>.")
    assert re.fullmatch(r'<p>Text <em>a</em> and <span id="p\w{8}-x">b</span>\.</p>', library.posts[0].html)
    (problem,) = library.problems
    assert problem.code == "post.address"
    assert "`{% link _posts/gone.md %}`" in problem.message


def test_headings_take_the_ids_that_their_attributes_give(tmp_path: Path) -> None:
    library = load(
        tmp_path,
        "# Title {#top}\n\n[a](#my-id)\n\n## A *b* {#my-id .c}\n\n## C\n{: #other .d}\n\n## D\n{: .e}\n",
    )
    assert library.problems == ()
    (post,) = library.posts
    prefix = post.html.partition("/2023/x.html#")[2].partition("my-id")[0]
    assert post.title == "Title"
    assert f'<h2 id="{prefix}my-id">A <em>b</em></h2>\n<h2 id="{prefix}other">C</h2>\n<h2>D</h2>' in post.html


def test_a_post_may_be_named_by_its_file_alone_wherever_it_lies(tmp_path: Path) -> None:
    files = {
        "2023/deep/A Note.md": HEADER + "Text",
        "notes/bundle/index.md": HEADER + "Text",
        "a/same.md": HEADER + "Text",
        "b/same.md": HEADER + "Text of another",
        "x.md": HEADER
        + '[[a note]] [b]({{< ref "/posts/bundle/" >}})\n\n[c]({{< relref "same.md" >}}) [[gone]]',
    }
    library = load_posts(write_publication(tmp_path, files), settings(), NOW)
    assert library.posts[-1].html == (
        '<p><a href="https://example.org/2023/a-note.html">a note</a> <a href="https://example.org/2023/bundle.html">b</a></p>'
        "\n<p>c gone</p>"
    )
    problem = next(problem for problem in library.problems if problem.code == "post.address")
    assert problem.where == "posts/x.md:6"
    assert '`{{< relref "same.md" >}}`, `[[gone]]`' in problem.message


def test_the_warning_names_the_line_of_an_address(tmp_path: Path) -> None:
    library = load(tmp_path, "Text\n\n[a](ftp://example.org/x%20y) <a href='ftp://é'>b</a>")
    (problem,) = library.problems
    assert (problem.code, problem.where) == ("post.address", "posts/x.md:6")

"""Posts and editions for the tests of the mail: the seed, everything a post may contain, other scripts, bad intent."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from ketapress.mail.digest import build_digest
from ketapress.model.edition import Display, Edition, EditionItem
from ketapress.model.message import Digest
from ketapress.model.post import Image, Post
from ketapress.model.settings import NewsletterSettings, Settings
from ketapress.posts.markup.plaintext import render_plaintext
from ketapress.templates.environment import Templates
from support.factories import REPOSITORY, SEED, SITE, WEEKLY, edition, post, settings

RENDERER = Templates(REPOSITORY)
SETTINGS = settings(site=SITE._replace(postal_address="The Example Press, 1 Example Street, Example Town"))
ARABIC = SETTINGS._replace(
    site=SETTINGS.site._replace(language="ar", title="صحافة المثال", description="ملاحظات من مطبعة صغيرة"),
)
MAILTO_NEWSLETTER = WEEKLY._replace(unsubscribe_mailto="leave@example.org", reply_to="editor@example.org")

RICH = """<p>A paragraph with <a href="https://example.org/x">a link</a>, <strong>strong</strong> and <em>emphasis</em>.</p>
<h2>Lists</h2>
<ul><li>One item that is long enough to wrap onto a second line on a phone</li><li>Two<ul><li>Nested</li></ul></li></ul>
<ol start="3"><li>Third</li><li>Fourth</li></ol>
<blockquote><p>Mail that looks designed everywhere, never clips, and arrives.</p></blockquote>
<h4>Code</h4>
<pre><code class="language-python">def digest(edition):
    return render(edition)  # {{ 7 * 7 }} &lt;b&gt; and a very long line that has to wrap somewhere or other
</code></pre>
<table><thead><tr><th>Client</th><th align="right">Width</th></tr></thead>
<tbody><tr><td>Outlook</td><td align="right">600</td></tr><tr><td>Apple Mail</td><td align="right">320</td></tr></tbody></table>
<figure><img src="https://example.org/sea.jpg" width="1200" height="600" alt="A view of the sea"><figcaption>The sea</figcaption></figure>
<hr>
<p>A footnote.<sup class="footnote-ref"><a href="https://example.org/2023/rich.html#fn1">1</a></sup></p>
<section class="footnotes"><ol><li id="fn1"><p>The note. <a href="https://example.org/2023/rich.html#nowhere">↩</a></p></li></ol></section>"""
ARABIC_HTML = """<p>أصبحت اضطرابات الصحة النفسية مصدر قلق عالمي واسع الانتشار، إذ تؤثر في حياة الملايين.
<a href="https://example.org/a">اقرأ الدراسة</a> كاملة.</p><h2>فهم العلاج</h2><ul><li>أولاً</li><li>ثانياً</li></ul>
<blockquote><p>اقتباس قصير من الدراسة.</p></blockquote><pre><code>print("hello")</code></pre>
<table><thead><tr><th>الاسم</th><th>العدد</th></tr></thead><tbody><tr><td>أ</td><td>3</td></tr></tbody></table>"""
CHINESE_HTML = (
    "<p>"
    + "这是一个很长的中文段落，没有空格，需要在适当的位置换行，否则它会超过一行的宽度。" * 8
    + "</p><h2>标题</h2>"
)
HOSTILE_HTML = """<p>{{ 7 * 7 }} {% include "x" %} %7B%7B </style><script>alert(1)</script> javascript:alert(1)</p>
<p>NÃO â€ &lt;img width="auto"&gt; &amp;nbsp; <a href="javascript:alert(1)">run</a> <a href="https://evil.example/">bank.example</a></p>
<p><a href="https://example.org/{{x}}">braces</a> <img src="http://example.org/a.png"> <img src="data:image/png;base64,AAAA" alt="data">
<img src="https://t.example/pixel.gif" width="1" height="1"></p><table><tr><td>no head</td></tr></table>
<p>Averyveryveryveryveryveryveryveryveryveryveryveryverylongwordwithoutanyendinsightatallthatgoeson
https://example.org/a/very/long/address/that/does/not/want/to/break/anywhere/at/all/and/goes/on/and/on?and=on&amp;on=on</p>
<p>.</p><p>From here on.</p><p>😀 👩‍👩‍👧‍👦 مرحبا 中文</p><h5>Deep</h5><h2>Shallow</h2>"""


def seed_post() -> Post:
    """The seed article as the posts room reads it, but for its own id and address."""
    _date, _, text = SEED.read_text().partition("\n\n")
    return post(
        "ketamine-therapy",
        title="Ketamine therapy",
        summary="Mental health disorders have become a pervasive global concern, affecting millions of lives worldwide.",
        html=render_plaintext(text),
        authors=("The Ketapress authors",),
    )


def rich_post(name: str = "rich", **values: Any) -> Post:
    defaults: dict[str, Any] = {
        "title": "Whatever a post contains, the letter shows",
        "html": RICH,
        "tags": ("craft",),
        "authors": ("A. Writer",),
        "image": Image(url="https://example.org/cover.jpg", alt="A printing press", width=1104, height=500),
    }
    return post(name, **(defaults | values))


def arabic_post(name: str = "arabic") -> Post:
    return post(
        name,
        title="العلاج بالكيتامين: إمكانات جديدة",
        summary="أصبحت اضطرابات الصحة النفسية مصدر قلق عالمي.",
        html=ARABIC_HTML,
    )


def chinese_post(name: str = "chinese") -> Post:
    return post(
        name, title="氯胺酮疗法", summary="心理健康问题已成为全球关注的焦点。", html=CHINESE_HTML, lang="zh"
    )


def hostile_post(name: str = "hostile") -> Post:
    return post(
        name,
        title='"Quoted" <b>& {{ title }}</title>\r\nBcc: someone@example.com',
        summary="</style> & {{ 7 * 7 }}\u2028new line",
        html=HOSTILE_HTML,
        tags=("<i>tag</i>",),
        authors=("=?utf-8?q?=0D=0ABcc:_x?=",),
    )


THEMES = ("magazine", "bulletin", "letter")
CHINESE = SETTINGS._replace(
    site=SETTINGS.site._replace(language="zh", title="示例出版社", description="笔记")
)
LANGUAGES: dict[str, tuple[Callable[[str], Post], Settings]] = {
    "English": (rich_post, SETTINGS),
    "Arabic": (arabic_post, ARABIC),
    "Chinese": (chinese_post, CHINESE),
}
SHAPES: dict[str, Callable[[Callable[[str], Post]], Edition]] = {
    "one post": lambda make: edition(make("one")),
    "twelve posts": lambda make: edition_with_display(make, Display.EXCERPT, 12),
    "forty posts": lambda make: edition_with_display(make, Display.HEADLINE, 40),
    "long titles": lambda make: edition(
        make("a")._replace(title="A long title " * 20), make("b")._replace(title="W" * 200)
    ),
    "no picture": lambda make: edition(make("a")._replace(image=None)),
    "a picture": lambda make: edition(make("a")._replace(image=Image(url="https://example.org/a.jpg"))),
}


def edition_with_display(make: Callable[[str], Post], display: Display, count: int) -> Edition:
    items = tuple(EditionItem(make(f"number-{number}"), display) for number in range(count))
    return edition()._replace(items=items, overflow=(post("more"),))


def build_sample_digest(
    sample_edition: Edition,
    settings: Settings = SETTINGS,
    newsletter: NewsletterSettings = WEEKLY,
    subject: str = "",
) -> Digest:
    return build_digest(
        sample_edition, settings, newsletter, subject or sample_edition.items[0].post.title, RENDERER
    )


def build_posts_digest(
    *posts: Post, settings: Settings = SETTINGS, newsletter: NewsletterSettings = WEEKLY, subject: str = ""
) -> Digest:
    return build_sample_digest(edition(*posts), settings, newsletter, subject)


SENT = datetime(2023, 6, 12, 8, 0, 5, tzinfo=UTC)

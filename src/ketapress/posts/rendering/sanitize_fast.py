"""HTML that our own renderers wrote is recognised, where the sanitiser would print just that.

In comes HTML whose elements are known to be nested well, out goes what nh3 would make of it, or None: then nh3 has to
look. Parsing takes 50 microseconds a post and this 20. It never decides what is safe: the pattern knows a few of the
elements and attributes that `sanitise` lets pass, in the one form in which nh3 prints them. Tests hold it against nh3.
"""

from ketapress.model.lazy_regex import pattern
from ketapress.posts.text.excerpt import ILLEGAL_CHARACTERS

_NEVER = (
    rf"<>&\r\xa0{ILLEGAL_CHARACTERS}"  # nh3 writes a no-break space as an entity, and a return as a line feed
)
_TEXT = f"[^{_NEVER}]"
_QUOTED = rf"(?:[^\"{_NEVER}]|&amp;)*+"
_REST = r"(?:[A-Za-z0-9/~!$()*+,;=:@._?#%-]|&amp;)*+"
_LABEL = r"[a-z0-9]+(?:-[a-z0-9]+)*+"
# Hosts that end in a word: nh3 drops addresses whose host cannot be one (WHATWG URL, 3.5: numbers, bad punycode)
_ADDRESS = (
    rf"(?:https?://(?:{_LABEL}\.)+[a-z]{{2,}}(?::\d{{1,4}})?(?:[/?#]{_REST})?"
    rf"|(?:/(?!/)|\.\.?/|#){_REST}|[A-Za-z0-9_.-]+(?:[/?#]{_REST})?)"
)
_TAG = (
    "<(?:/?(?:p>|li>|em>|strong>|code>|del>|h[1-6]>|[uo]l>|blockquote>|t(?:[rdh]>|able>|head>|body>))"
    # no link within a link
    rf"|a href=\"{_ADDRESS}\"(?: title=\"{_QUOTED}\")?>(?=[^<]*+(?:<(?!/?a[ >])[^<]*+)*+</a>)|/a>"
    rf"|img src=\"{_ADDRESS}\" alt=\"{_QUOTED}\"(?: title=\"{_QUOTED}\")?(?: /)?>"
    r"|pre><code(?: class=\"[A-Za-z0-9+#_-]+\")?>|/pre>|t[hd] align=\"(?:left|center|right)\">"
    r"|ol start=\"\d{1,9}\">|[bh]r(?: /)?>)"
)
# An attribute that is not one of those that stay as they are wherever a post stands; `addresses` would pass by the others
_WRITTEN = r"(?:[A-Za-z0-9/~!$()*+,;=:@._-]|%(?!F4)[0-9A-Fa-f]{2})"
_FULL_URL = (
    rf"https?://(?:{_LABEL}\.)+[a-z]{{2,}}(?::\d{{1,4}})?"
    rf"(?:/{_WRITTEN}*+(?:(?<!;)\?(?:{_WRITTEN}|\?|&amp;)++)?(?:(?<!;)#{_WRITTEN}++)?)?"
)
_OTHER_ATTRIBUTE = pattern(
    rf"=\"(?!(?:(?<=href=\")|(?<=src=\")){_FULL_URL}\"|(?<=class=\")language-[A-Za-z0-9+#_-]{{1,30}}\""
    r"|(?:(?<=alt=\")|(?<=title=\"))(?:[^\"&]|&amp;)*+\"|(?<=align=\")|(?<=start=\"))"
)
_CONTROLS = bytes(code for code in (*range(0x20), 0x7F) if chr(code) not in "\t\n")
_REGULAR = pattern(f"{_TEXT}*+(?:(?:{_TAG}|&(?:quot|amp|lt|gt);){_TEXT}*+)*+")


def regular(html: str) -> str | None:
    """Well nested HTML as nh3 would print it, without characters that are not legal; None where only nh3 can tell."""
    return _printed(html) if _REGULAR.fullmatch(html) else None


def unchanging(html: str) -> str | None:
    """Well nested HTML that is regular, and whose addresses all lead out of the site: that stays as it is in any place.

    None where it has to be looked at more closely. Most posts are in ASCII or have no such links; this takes a quarter of
    the time of two closer looks.
    """
    if not html.isascii() or len(html.encode().translate(None, _CONTROLS)) != len(html):
        return None
    if 'class="footnote' in html or _OTHER_ATTRIBUTE.search(html):
        return None
    return _printed(html)


def _printed(html: str) -> str:
    return html.replace("&quot;", '"').replace(" />", ">")

"""HTML that our own renderers wrote is recognised, where the sanitiser would print just that.

In comes HTML whose elements are known to be nested well, out goes what nh3 would make of it, or None: then nh3 has to
look. Parsing takes 50 microseconds a post and this 20. It never decides what is safe: the pattern knows a few of the
elements and attributes that `sanitise` lets pass, in the one form in which nh3 prints them. Tests hold it against nh3.
"""

from ketapress.model.pattern import pattern
from ketapress.posts.prose import ILLEGAL_CHARACTERS

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
_REGULAR = pattern(f"{_TEXT}*+(?:(?:{_TAG}|&(?:quot|amp|lt|gt);){_TEXT}*+)*+")


def regular(html: str) -> str | None:
    """Well nested HTML as nh3 would print it, without characters that are not legal; None where only nh3 can tell."""
    if not _REGULAR.fullmatch(html):
        return None
    return html.replace("&quot;", '"').replace(" />", ">")

"""What one mark of another tool means, where that can be known: a picture, a link, an address, an id, or nothing at all.

In comes one mark as it was written, out goes the meaning, or None. Jekyll, Octopress and Hexo (Liquid), Hugo, Zola,
kramdown and Pandoc, Obsidian. Nothing is looked up: which posts there are, others know.
"""

import re
from urllib.parse import quote

from ketapress.model.lazy_regex import pattern

_ATTRIBUTE = r"(?:[#.][\w:.-]+|[\w-]+=(?:\"[^\"\n]*\"|[\w%.#-]+))"
ATTRIBUTES = rf"\{{[ \t]*{_ATTRIBUTE}(?:[ \t]+{_ATTRIBUTE})*[ \t]*\}}"
"""A block of attributes as Pandoc and Hugo write it, `{#id .class width=100}`, after a picture or at the end of a line."""

POST = "post:"
"""What an address begins with that names a post by its file, with or without ending and folders."""

_SILENT = pattern(
    r"\{#|\{:|\{[ \t]*\.|\{[ \t]*[\w-]+=|\{\{-?\s*/\*|\{%-?\s*(?:end)?(?:raw|comment)\s*-?%\}|\[TOC\]|\[\[_?toc_?\]\]"
    r"|\{%-?\s*comment\b|(?:[*+-]|\d\.)[ \t][^\n]*\n\{:"
    r"|\{[{%][<%-]?\s*(?:more|toc)\s*(?:\(\s*\))?\s*-?[>%]?[}%]\}|\{%-?\s*include\s+toc\b"
    r"|\{\{[<%]\s*(?:icon|fa|clear|clearfix|katex|mathjax)\b|%%|\*\[",
    re.IGNORECASE,
)
_SITE = pattern(
    r"\{\{-?\s*(?:site\.(?:url|baseurl|base_url)|baseurl|base_url|\.Site\.BaseURL)\s*-?\}\}", re.IGNORECASE
)
_QUOTED = pattern(
    r"\{\{-?\s*(?:[\"'](?P<path>[^\"']*)[\"'](?:\s*\|\s*(?:relative_url|absolute_url|url|prepend:\s*site\.(?:base)?url))*"
    r"|(?:relURL|absURL)\s+[\"'](?P<go>[^\"']*)[\"'])\s*-?\}\}"
)
_POST = pattern(
    r"\{%-?\s*post_link\s+(?P<hexo>[^\s%]+)[^%]*%\}|"
    r"\{%-?\s*(?:link|post_url)\s+(?P<liquid>[^%]+?)\s*-?%\}"
    r"|\{\{[<%]\s*(?:rel)?ref\s+(?:(?P<quote>[\"'`])(?P<quoted>[^\"'`<>%\n]+)(?P=quote)|(?P<go>[^\"'`<>%\s]+))[^<>%]*[>%]\}\}"
)
_HEXO_LINK = pattern(
    r"\{%-?\s*(?:post_link|asset_link)\s+(?P<target>[^\s%]+)(?P<text>[^%]*?)(?:\s+(?:true|false))?\s*-?%\}"
)
_LEADING = frozenset({"link", "btn", "button"})
_ADDRESS = pattern(r"https?://[^\s,\"'<>]+")
_CALL = pattern(
    r"\{(?:%-?|\{[<%]?)\s*(?:include\s+)?(?:[\w-]+/)?(?P<name>[\w-]+)(?:\.html|\.liquid)?"
    r"(?:\s+(?P<words>.*?)|\s*\((?P<arguments>.*?)\))\s*/?-?[%>]?\}{1,2}",
    re.DOTALL,
)
"""A shortcode: Hugo's, Liquid's with its includes, Zola's."""
_PICTURES = frozenset({"img", "image", "figure", "asset_img", "picture"})
FRAMES = {
    "youtube": "https://www.youtube.com/watch?v={}",
    "youtubeplayer": "https://www.youtube.com/watch?v={}",
    "vimeo": "https://vimeo.com/{}",
    "gist": "https://gist.github.com/{}",
    "tweet": "https://twitter.com/i/status/{}",
    "twitter": "https://twitter.com/i/status/{}",
    "x": "https://x.com/i/status/{}",
    "instagram": "https://www.instagram.com/p/{}/",
    "bilibili": "https://www.bilibili.com/video/{}",
    "asciinema": "https://asciinema.org/a/{}",
    "jsfiddle": "https://jsfiddle.net/{}/",
    "github": "https://github.com/{}",
    "gitlab": "https://gitlab.com/-/snippets/{}",
    "codepen": "",
    "iframe": "",
    "media": "",
    "video": "",
    "embed": "",
}
"""What is framed from elsewhere, by the name of its shortcode, and where it is found by its id."""
_FRAME_ID = {
    "youtube": r"[\w-]{11}",
    "youtubeplayer": r"[\w-]{11}",
    "gist": r"(?:[\w-]+[ /])?[0-9a-f]{5,40}",
    "tweet": r"\d{5,25}",
    "twitter": r"\d{5,25}",
    "x": r"\d{5,25}",
    "vimeo": r"\d{5,15}",
    "bilibili": r"(?:BV|av)\w+",
    "github": r"[\w.-]+/[\w.-]+",
    "gitlab": r"\d+",
}
_FRAME_NAMES = pattern(r"\b(id|url|src|link|repo|provider)\s*=\s*(?:\"([^\"]*)\"|'([^']*)'|([^\s,\"']+))")
_WIKI = pattern(r"(?P<shown>!?)\[\[(?!!)(?P<target>[^\[\]|\\]+?)(?:\\?\|(?P<text>[^\[\]]*))?\]\]")
_IMAGE_FILE = pattern(r".+\.(?:png|jpe?g|gif|webp|svg|avif|bmp)", re.IGNORECASE)
_OTHER_FILE = pattern(
    r".+\.(?:pdf|mp[34]|m4[av]|og[gv]|webm|wav|flac|zip|csv|docx|xlsx|pptx|epub)", re.IGNORECASE
)
_NAMED = pattern(
    r"\b(src|image_path|path|url|file|alt|caption|description|title)\s*=\s*(?:\"([^\"]*)\"|'([^']*)'|`([^`]*)`|([^\s\"'`]+))"
)
_WORDS = ("alt", "caption", "title", "description")
_PLACES = ("src", "image_path", "url", "path", "file")
_SIZE = pattern(r"\d+(?:x\d+)?|")
_WORD = pattern(r"\"([^\"]*)\"|'([^']*)'|([^\s,\"']+)")
_IS_ADDRESS = pattern(r"https?://|/|[^\s/]+/.|\S+\.(?:png|jpe?g|gif|webp|svg|avif)$", re.IGNORECASE)
_ID = pattern(r"[\s{:]#([\w:.-]+)")


def is_silent(mark: str) -> bool:
    """Whether a mark means nothing to readers: comments, `{% raw %}`, attributes, a table of contents, `{% more %}`."""
    return bool(_SILENT.match(mark.lstrip()))


def own_id(mark: str) -> str:
    """The id that attributes give to what they stand after; empty where there is none."""
    found = _ID.search(mark[:-1]) if mark.lstrip()[:2] not in {"{{", "{%"} else None
    return found[1] if found else ""


def address(mark: str) -> str | None:
    """What a mark stands for within an address, `post:…` for the page of a post; None where nobody knows."""
    if _SITE.fullmatch(mark):
        return ""
    if post := _POST.fullmatch(mark):
        return POST + (post["hexo"] or post["liquid"] or post["quoted"] or post["go"])
    if wiki := _WIKI.fullmatch(mark):
        return _wiki_address(wiki)
    if asset := _HEXO_LINK.fullmatch(mark):
        return quote(asset["target"])
    found = _QUOTED.fullmatch(mark)
    if found is None:
        return None
    path = found["path"] if found["path"] is not None else found["go"]
    return path if path.startswith(("/", "http://", "https://")) else f"/{path}"


def _wiki_address(wiki: re.Match[str]) -> str:
    target = wiki["target"].strip()
    if _is_shown(wiki):
        return quote(target)
    name, _, heading = target.partition("#")
    if _OTHER_FILE.fullmatch(name):
        return quote(name) + (f"#{quote(heading, safe='=&')}" if heading else "")
    return (POST + quote(name.strip()) if name else "") + (f"#{quote(heading)}" if heading else "")


def _is_shown(wiki: re.Match[str]) -> bool:
    """Whether a mark shows a picture, and does not link to a note, or quote one."""
    return bool(wiki["shown"] and _IMAGE_FILE.fullmatch(wiki["target"].strip()))


def picture(mark: str) -> tuple[str, str] | None:
    """The address of the picture that a mark shows, and its description; None where it shows none."""
    if mark.startswith("![["):
        wiki = _WIKI.fullmatch(mark)
        if not wiki or not _is_shown(wiki):
            return None
        said = (wiki["text"] or "").strip()
        return quote(wiki["target"].strip()), "" if _SIZE.fullmatch(said) else said
    found = _CALL.fullmatch(mark)
    if not found or found["name"] not in _PICTURES:
        return None
    return _pictured(found["words"] or found["arguments"] or "")


def caption(mark: str) -> str:
    """What stands below the picture that a mark shows, as its author wrote it; empty where nothing does."""
    found = _CALL.fullmatch(mark) if "caption" in mark else None
    return _named(found["words"] or found["arguments"] or "").get("caption", "") if found else ""


def _named(words: str) -> dict[str, str]:
    return {name: "".join(values) for name, *values in _NAMED.findall(words)}


def _pictured(words: str) -> tuple[str, str] | None:
    named = _named(words)
    if place := next((named[name] for name in _PLACES if name in named), ""):
        return place, next((named[name] for name in _WORDS if name in named), "")
    written = [(a or b, c) for a, b, c in _WORD.findall(words)]
    number = next((number for number, each in enumerate(written) if _IS_ADDRESS.match("".join(each))), None)
    if number is None:
        return None
    quoted = [said for said, _ in written[number + 1 :] if said]
    bare = " ".join(word for _, word in written[number + 1 :] if not word.isdigit())
    said = quoted[0 if "," in words else -1] if quoted else bare.strip()
    return "".join(written[number]), said  # Eleventy's lists say last how wide a picture is


def link(mark: str) -> tuple[str, str] | None:
    """Where a mark leads, and the words of the link; the address is empty where `address` has it. None: it is no link."""
    if mark.endswith("]]"):
        wiki = _WIKI.fullmatch(mark)
        if not wiki or _is_shown(wiki) or is_silent(mark):
            return None
        return "", (wiki["text"] or "").strip() or wiki["target"].strip().strip("#").replace("#", " › ")
    if hexo := _HEXO_LINK.fullmatch(mark):
        return "", hexo["text"].strip(" \"'") or hexo["target"]
    found = _CALL.fullmatch(mark)
    name = found["name"].lower() if found else ""
    if found and name in _LEADING:
        return _leading(found["words"] or "")
    if not found or name not in FRAMES:
        return None
    framed = _framed(name, found["words"] or found["arguments"] or "")
    return (framed, framed) if framed else None


def _leading(words: str) -> tuple[str, str] | None:
    """Where a link or a button of Hexo's leads, and its text: before the address, or behind it and a comma."""
    found = _ADDRESS.search(words)
    if not found:
        return None
    before = words[: found.start()].strip(" ,\"'")
    behind = words[found.end() :].lstrip(" ,\"'").partition(",")[0].strip(" \"'")
    return found[0], before or behind or found[0]


def _framed(name: str, words: str) -> str:
    """The address of what a shortcode frames; empty where it does not tell."""
    named = {key: a or b or c for key, a, b, c in _FRAME_NAMES.findall(words)}
    said = next((named[key] for key in ("url", "src", "link", "repo", "id") if key in named), "")
    if not said and (led := _ADDRESS.match(words.lstrip(" \"'("))):
        said = led[0]
    said = said or words.split("=", maxsplit=1)[0].strip(" \"'").replace('" "', " ")
    if said.startswith("/") and not _FRAME_ID.get(name) and not re.search(r"[\s<>\"]", said):
        return said
    if said.startswith(("https://", "http://")) and not re.search(r"[\s<>\"]", said):
        return said
    name = named.get("provider", name)
    if not FRAMES.get(name) or not re.fullmatch(_FRAME_ID.get(name, r"[\w-]{3,40}"), said):
        return ""
    return FRAMES[name].format(said.replace(" ", "/"))

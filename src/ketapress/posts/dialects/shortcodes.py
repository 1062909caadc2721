"""Parse single tags of other tools: images, links, URLs, ids, and tags without a meaning for readers.

Each function takes the source of one tag of Liquid (Jekyll, Octopress, Hexo), Hugo, Zola, kramdown, Pandoc or Obsidian.
Which posts and files exist is unknown here: a link to a post is returned as `post:` and a name.
"""

import re
from urllib.parse import quote

from ketapress.posts.dialects.arguments import find_named_arguments

_ATTRIBUTE = r"(?:[#.][\w:.-]+|[\w-]+=(?:\"[^\"\n]*\"|[\w%.#-]+))"
ATTRIBUTE_BLOCK = rf"\{{[ \t]*{_ATTRIBUTE}(?:[ \t]+{_ATTRIBUTE})*[ \t]*\}}"
"""An attribute block of Pandoc and Hugo, `{#id .class width=100}`, after an image or at the end of a line."""

POST_SCHEME = "post:"
"""The beginning of a URL that names a post by its file, with or without suffix and folders."""

_INVISIBLE_TAG = re.compile(
    r"\{#|\{:|\{[ \t]*\.|\{[ \t]*[\w-]+=|\{\{-?\s*/\*|\{%-?\s*(?:end)?(?:raw|comment)\s*-?%\}|\[TOC\]|\[\[_?toc_?\]\]"
    r"|\{%-?\s*comment\b|(?:[*+-]|\d\.)[ \t][^\n]*\n\{:"
    r"|\{[{%][<%-]?\s*(?:more|toc)\s*(?:\(\s*\))?\s*-?[>%]?[}%]\}|\{%-?\s*include\s+toc\b"
    r"|\{\{[<%]\s*(?:icon|fa|clear|clearfix|katex|mathjax)\b|%%|\*\[",
    re.IGNORECASE,
)
_SITE_URL = re.compile(
    r"\{\{-?\s*(?:site\.(?:url|baseurl|base_url)|baseurl|base_url|\.Site\.BaseURL)\s*-?\}\}", re.IGNORECASE
)
_QUOTED_URL = re.compile(
    r"\{\{-?\s*(?:[\"'](?P<path>[^\"']*)[\"'](?:\s*\|\s*(?:relative_url|absolute_url|url|prepend:\s*site\.(?:base)?url))*"
    r"|(?:relURL|absURL)\s+[\"'](?P<hugo>[^\"']*)[\"'])\s*-?\}\}"
)
_POST_LINK = re.compile(
    r"\{%-?\s*post_link\s+(?P<hexo>[^\s%]+)[^%]*%\}|"
    r"\{%-?\s*(?:link|post_url)\s+(?P<liquid>[^%]+?)\s*-?%\}"
    r"|\{\{[<%]\s*(?:rel)?ref\s+(?:(?P<quote>[\"'`])(?P<hugo_quoted>[^\"'`<>%\n]+)(?P=quote)|(?P<hugo>[^\"'`<>%\s]+))[^<>%]*[>%]\}\}"
)
_HEXO_LINK = re.compile(
    r"\{%-?\s*(?:post_link|asset_link)\s+(?P<target>[^\s%]+)(?P<text>[^%]*?)(?:\s+(?:true|false))?\s*-?%\}"
)
_LINK_SHORTCODES = frozenset({"link", "btn", "button"})
_URL = re.compile(r"https?://[^\s,\"'<>]+")
_SHORTCODE = re.compile(
    r"\{(?:%-?|\{[<%]?)\s*(?:include\s+)?(?:[\w-]+/)?(?P<name>[\w-]+)(?:\.html|\.liquid)?"
    r"(?:\s+(?P<arguments>.*?)|\s*\((?P<call_arguments>.*?)\))\s*/?-?[%>]?\}{1,2}",
    re.DOTALL,
)
"""A shortcode of Hugo, Liquid (also an include) or Zola, whose arguments are those of a call."""
_IMAGE_SHORTCODES = frozenset({"img", "image", "figure", "asset_img", "picture"})
EMBED_URLS = {
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
"""URL templates of embedded content by the name of its shortcode; empty where there is no id, only a URL."""
_EMBED_IDS = {
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
_EMBED_ARGUMENT = re.compile(
    r"\b(id|url|src|link|repo|provider)\s*=\s*(?:\"([^\"]*)\"|'([^']*)'|([^\s,\"']+))"
)
_WIKI_LINK = re.compile(r"(?P<embed>!?)\[\[(?!!)(?P<target>[^\[\]|\\]+?)(?:\\?\|(?P<text>[^\[\]]*))?\]\]")
_IMAGE_FILE = re.compile(r".+\.(?:png|jpe?g|gif|webp|svg|avif|bmp)", re.IGNORECASE)
_OTHER_FILE = re.compile(
    r".+\.(?:pdf|mp[34]|m4[av]|og[gv]|webm|wav|flac|zip|csv|docx|xlsx|pptx|epub)", re.IGNORECASE
)
_IMAGE_ARGUMENT = re.compile(
    r"\b(src|image_path|path|url|file|alt|caption|description|title)\s*=\s*(?:\"([^\"]*)\"|'([^']*)'|`([^`]*)`|([^\s\"'`]+))"
)
_ALT_KEYS = ("alt", "caption", "title", "description")
_SRC_KEYS = ("src", "image_path", "url", "path", "file")
_IMAGE_SIZE = re.compile(r"\d+(?:x\d+)?|")
_ARGUMENT = re.compile(r"\"([^\"]*)\"|'([^']*)'|([^\s,\"']+)")
_URL_OR_PATH = re.compile(r"https?://|/|[^\s/]+/.|\S+\.(?:png|jpe?g|gif|webp|svg|avif)$", re.IGNORECASE)
_ID_ATTRIBUTE = re.compile(r"[\s{:]#([\w:.-]+)")


def is_invisible(tag: str) -> bool:
    """Whether a tag means nothing to readers: a comment, `{% raw %}`, attributes, a table of contents, `{% more %}`."""
    return bool(_INVISIBLE_TAG.match(tag.lstrip()))


def parse_id(tag: str) -> str:
    """Return the id in an attribute block; an empty string if there is none."""
    match = _ID_ATTRIBUTE.search(tag[:-1]) if tag.lstrip()[:2] not in {"{{", "{%"} else None
    return match[1] if match else ""


def parse_url_part(tag: str) -> str | None:
    """Return what a tag expands to within a URL, `post:…` for the page of a post; None if that is unknown."""
    if _SITE_URL.fullmatch(tag):
        return ""
    if post := _POST_LINK.fullmatch(tag):
        return POST_SCHEME + (post["hexo"] or post["liquid"] or post["hugo_quoted"] or post["hugo"])
    if wiki := _WIKI_LINK.fullmatch(tag):
        return _build_wiki_url(wiki)
    if asset := _HEXO_LINK.fullmatch(tag):
        return quote(asset["target"])
    match = _QUOTED_URL.fullmatch(tag)
    if match is None:
        return None
    path = match["path"] if match["path"] is not None else match["hugo"]
    return path if path.startswith(("/", "http://", "https://")) else f"/{path}"


def _build_wiki_url(wiki: re.Match[str]) -> str:
    target = wiki["target"].strip()
    if _is_image_embed(wiki):
        return quote(target)
    name, _, heading = target.partition("#")
    if _OTHER_FILE.fullmatch(name):
        return quote(name) + (f"#{quote(heading, safe='=&')}" if heading else "")
    return (POST_SCHEME + quote(name.strip()) if name else "") + (f"#{quote(heading)}" if heading else "")


def _is_image_embed(wiki: re.Match[str]) -> bool:
    """Whether a wiki tag embeds an image; others link to a note, or embed one."""
    return bool(wiki["embed"] and _IMAGE_FILE.fullmatch(wiki["target"].strip()))


def parse_image(tag: str) -> tuple[str, str] | None:
    """Return the URL and alternative text of the image that a tag shows; None if it shows none."""
    if tag.startswith("![["):
        wiki = _WIKI_LINK.fullmatch(tag)
        if not wiki or not _is_image_embed(wiki):
            return None
        alt = (wiki["text"] or "").strip()
        return quote(wiki["target"].strip()), "" if _IMAGE_SIZE.fullmatch(alt) else alt
    match = _SHORTCODE.fullmatch(tag)
    if not match or match["name"] not in _IMAGE_SHORTCODES:
        return None
    return _parse_image_arguments(match["arguments"] or match["call_arguments"] or "")


def parse_caption(tag: str) -> str:
    """Return the caption of the image that a tag shows, as its author wrote it; an empty string if there is none."""
    match = _SHORTCODE.fullmatch(tag) if "caption" in tag else None
    arguments = match["arguments"] or match["call_arguments"] or "" if match else ""
    return dict(find_named_arguments(arguments, _IMAGE_ARGUMENT)).get("caption", "")


def _parse_image_arguments(arguments: str) -> tuple[str, str] | None:
    named = dict(find_named_arguments(arguments, _IMAGE_ARGUMENT))
    if src := next((named[name] for name in _SRC_KEYS if name in named), ""):
        return src, next((named[name] for name in _ALT_KEYS if name in named), "")
    parts = [(double or single, unquoted) for double, single, unquoted in _ARGUMENT.findall(arguments)]
    index = next((index for index, part in enumerate(parts) if _URL_OR_PATH.match("".join(part))), None)
    if index is None:
        return None
    quoted_texts = [text for text, _ in parts[index + 1 :] if text]
    if quoted_texts:
        # Octopress and Hexo have the alternative text last; Eleventy, with commas, has it first and sizes after it
        return "".join(parts[index]), quoted_texts[0 if "," in arguments else -1]
    return "".join(parts[index]), " ".join(
        word for _, word in parts[index + 1 :] if not word.isdigit()
    ).strip()


def parse_link(tag: str) -> tuple[str, str] | None:
    """Return the URL and text of a link; the URL is empty where `parse_url_part` returns it. None if the tag is no link."""
    if tag.endswith("]]"):
        wiki = _WIKI_LINK.fullmatch(tag)
        if not wiki or _is_image_embed(wiki) or is_invisible(tag):
            return None
        return "", (wiki["text"] or "").strip() or wiki["target"].strip().strip("#").replace("#", " › ")
    if hexo := _HEXO_LINK.fullmatch(tag):
        return "", hexo["text"].strip(" \"'") or hexo["target"]
    match = _SHORTCODE.fullmatch(tag)
    name = match["name"].lower() if match else ""
    if match and name in _LINK_SHORTCODES:
        return _parse_hexo_link(match["arguments"] or "")
    if not match or name not in EMBED_URLS:
        return None
    embed_url = _build_embed_url(name, match["arguments"] or match["call_arguments"] or "")
    return (embed_url, embed_url) if embed_url else None


def _parse_hexo_link(arguments: str) -> tuple[str, str] | None:
    """Return the URL of a Hexo link or button, and its text, which stands before the URL or after it and a comma."""
    match = _URL.search(arguments)
    if not match:
        return None
    text_before = arguments[: match.start()].strip(" ,\"'")
    text_after = arguments[match.end() :].lstrip(" ,\"'").partition(",")[0].strip(" \"'")
    return match[0], text_before or text_after or match[0]


def _build_embed_url(name: str, arguments: str) -> str:
    """Return the URL of embedded content; an empty string if the arguments do not give one."""
    named = dict(find_named_arguments(arguments, _EMBED_ARGUMENT))
    target = next((named[key] for key in ("url", "src", "link", "repo", "id") if key in named), "")
    if not target and (match := _URL.match(arguments.lstrip(" \"'("))):
        target = match[0]
    target = target or arguments.split("=", maxsplit=1)[0].strip(" \"'").replace('" "', " ")
    is_path = target.startswith("/") and not _EMBED_IDS.get(name)
    if (is_path or target.startswith(("https://", "http://"))) and not re.search(r"[\s<>\"]", target):
        return target
    name = named.get("provider", name)
    if not EMBED_URLS.get(name) or not re.fullmatch(_EMBED_IDS.get(name, r"[\w-]{3,40}"), target):
        return ""
    return EMBED_URLS[name].format(target.replace(" ", "/"))

"""What one mark of another tool means, where that can be known: a picture, a link, an address, an id, or nothing at all.

In comes one mark as it was written, out goes the meaning, or None. Jekyll, Octopress and Hexo (Liquid), Hugo, Zola,
kramdown and Pandoc, Obsidian. Nothing is looked up: which posts there are, others know.
"""

import re
from urllib.parse import quote

_ATTRIBUTE = r"(?:[#.][\w:.-]+|[\w-]+=(?:\"[^\"\n]*\"|[\w%.#-]+))"
ATTRIBUTE_BLOCK = rf"\{{[ \t]*{_ATTRIBUTE}(?:[ \t]+{_ATTRIBUTE})*[ \t]*\}}"
"""A block of attributes as Pandoc and Hugo write it, `{#id .class width=100}`, after a picture or at the end of a line."""

POST_SCHEME = "post:"
"""What an address begins with that names a post by its file, with or without ending and folders."""

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
    r"|(?:relURL|absURL)\s+[\"'](?P<go>[^\"']*)[\"'])\s*-?\}\}"
)
_POST_LINK = re.compile(
    r"\{%-?\s*post_link\s+(?P<hexo>[^\s%]+)[^%]*%\}|"
    r"\{%-?\s*(?:link|post_url)\s+(?P<liquid>[^%]+?)\s*-?%\}"
    r"|\{\{[<%]\s*(?:rel)?ref\s+(?:(?P<quote>[\"'`])(?P<quoted>[^\"'`<>%\n]+)(?P=quote)|(?P<go>[^\"'`<>%\s]+))[^<>%]*[>%]\}\}"
)
_HEXO_LINK = re.compile(
    r"\{%-?\s*(?:post_link|asset_link)\s+(?P<target>[^\s%]+)(?P<text>[^%]*?)(?:\s+(?:true|false))?\s*-?%\}"
)
_LINK_SHORTCODES = frozenset({"link", "btn", "button"})
_URL = re.compile(r"https?://[^\s,\"'<>]+")
_SHORTCODE = re.compile(
    r"\{(?:%-?|\{[<%]?)\s*(?:include\s+)?(?:[\w-]+/)?(?P<name>[\w-]+)(?:\.html|\.liquid)?"
    r"(?:\s+(?P<words>.*?)|\s*\((?P<arguments>.*?)\))\s*/?-?[%>]?\}{1,2}",
    re.DOTALL,
)
"""A shortcode: Hugo's, Liquid's with its includes, Zola's."""
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
"""What is framed from elsewhere, by the name of its shortcode, and where it is found by its id."""
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
_WIKI_LINK = re.compile(r"(?P<shown>!?)\[\[(?!!)(?P<target>[^\[\]|\\]+?)(?:\\?\|(?P<text>[^\[\]]*))?\]\]")
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
    """Whether a mark means nothing to readers: comments, `{% raw %}`, attributes, a table of contents, `{% more %}`."""
    return bool(_INVISIBLE_TAG.match(tag.lstrip()))


def parse_id(tag: str) -> str:
    """The id that attributes give to what they stand after; empty where there is none."""
    match = _ID_ATTRIBUTE.search(tag[:-1]) if tag.lstrip()[:2] not in {"{{", "{%"} else None
    return match[1] if match else ""


def parse_url_part(tag: str) -> str | None:
    """What a mark stands for within an address, `post:…` for the page of a post; None where nobody knows."""
    if _SITE_URL.fullmatch(tag):
        return ""
    if post := _POST_LINK.fullmatch(tag):
        return POST_SCHEME + (post["hexo"] or post["liquid"] or post["quoted"] or post["go"])
    if wiki := _WIKI_LINK.fullmatch(tag):
        return _build_wiki_url(wiki)
    if asset := _HEXO_LINK.fullmatch(tag):
        return quote(asset["target"])
    match = _QUOTED_URL.fullmatch(tag)
    if match is None:
        return None
    path = match["path"] if match["path"] is not None else match["go"]
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
    """Whether a mark shows a picture, and does not link to a note, or quote one."""
    return bool(wiki["shown"] and _IMAGE_FILE.fullmatch(wiki["target"].strip()))


def parse_image(tag: str) -> tuple[str, str] | None:
    """The address of the picture that a mark shows, and its description; None where it shows none."""
    if tag.startswith("![["):
        wiki = _WIKI_LINK.fullmatch(tag)
        if not wiki or not _is_image_embed(wiki):
            return None
        alt = (wiki["text"] or "").strip()
        return quote(wiki["target"].strip()), "" if _IMAGE_SIZE.fullmatch(alt) else alt
    match = _SHORTCODE.fullmatch(tag)
    if not match or match["name"] not in _IMAGE_SHORTCODES:
        return None
    return _parse_image_arguments(match["words"] or match["arguments"] or "")


def parse_caption(tag: str) -> str:
    """What stands below the picture that a mark shows, as its author wrote it; empty where nothing does."""
    match = _SHORTCODE.fullmatch(tag) if "caption" in tag else None
    return _parse_arguments(match["words"] or match["arguments"] or "").get("caption", "") if match else ""


def _parse_arguments(arguments: str) -> dict[str, str]:
    return {name: "".join(values) for name, *values in _IMAGE_ARGUMENT.findall(arguments)}


def _parse_image_arguments(arguments: str) -> tuple[str, str] | None:
    named_arguments = _parse_arguments(arguments)
    if src := next((named_arguments[name] for name in _SRC_KEYS if name in named_arguments), ""):
        return src, next((named_arguments[name] for name in _ALT_KEYS if name in named_arguments), "")
    parts = [(double or single, unquoted) for double, single, unquoted in _ARGUMENT.findall(arguments)]
    index = next((index for index, part in enumerate(parts) if _URL_OR_PATH.match("".join(part))), None)
    if index is None:
        return None
    quoted_texts = [alt for alt, _ in parts[index + 1 :] if alt]
    unquoted_text = " ".join(word for _, word in parts[index + 1 :] if not word.isdigit())
    alt = quoted_texts[0 if "," in arguments else -1] if quoted_texts else unquoted_text.strip()
    return "".join(parts[index]), alt  # Eleventy's lists say last how wide a picture is


def parse_link(tag: str) -> tuple[str, str] | None:
    """Where a mark leads, and the words of the link; the address is empty where `address` has it. None: it is no link."""
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
        return _parse_hexo_link(match["words"] or "")
    if not match or name not in EMBED_URLS:
        return None
    embed_url = _build_embed_url(name, match["words"] or match["arguments"] or "")
    return (embed_url, embed_url) if embed_url else None


def _parse_hexo_link(arguments: str) -> tuple[str, str] | None:
    """Where a link or a button of Hexo's leads, and its text: before the address, or behind it and a comma."""
    match = _URL.search(arguments)
    if not match:
        return None
    text_before = arguments[: match.start()].strip(" ,\"'")
    text_after = arguments[match.end() :].lstrip(" ,\"'").partition(",")[0].strip(" \"'")
    return match[0], text_before or text_after or match[0]


def _build_embed_url(name: str, arguments: str) -> str:
    """The address of what a shortcode frames; empty where it does not tell."""
    named_arguments = {
        key: double or single or unquoted
        for key, double, single, unquoted in _EMBED_ARGUMENT.findall(arguments)
    }
    target = next(
        (named_arguments[key] for key in ("url", "src", "link", "repo", "id") if key in named_arguments), ""
    )
    if not target and (match := _URL.match(arguments.lstrip(" \"'("))):
        target = match[0]
    target = target or arguments.split("=", maxsplit=1)[0].strip(" \"'").replace('" "', " ")
    if target.startswith("/") and not _EMBED_IDS.get(name) and not re.search(r"[\s<>\"]", target):
        return target
    if target.startswith(("https://", "http://")) and not re.search(r"[\s<>\"]", target):
        return target
    name = named_arguments.get("provider", name)
    if not EMBED_URLS.get(name) or not re.fullmatch(_EMBED_IDS.get(name, r"[\w-]{3,40}"), target):
        return ""
    return EMBED_URLS[name].format(target.replace(" ", "/"))

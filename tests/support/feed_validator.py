"""What the W3C feed validator says of a feed, errors and warnings alike, as far as it can be told from the bytes.

In: a document and its address. Out: complaints, each named as the validator's help pages name it. The rules are in our
words, after RFC 4287, RSS 2.0 with the RSS Board's profile, and the validator's own pages; `test_w3c.py` breaks a feed
once for each of them.
"""

import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from html.entities import name2codepoint

import html5lib
from html5lib.html5parser import ParseError
from lxml import etree

ATOM = "{http://www.w3.org/2005/Atom}"
CONTENT = "{http://purl.org/rss/1.0/modules/content/}encoded"
DC = "{http://purl.org/dc/elements/1.1/}"
MEDIA = "{http://search.yahoo.com/mrss/}"
ARCHIVE = "{http://purl.org/syndication/history/1.0}archive"
LANG = "{http://www.w3.org/XML/1998/namespace}lang"

Check = Callable[[str], str]

_BAD_CHARACTERS = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x80-\x9f\ufffd\ufffe\uffff]")
_URI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:(?://)?(?:\[[0-9A-Fa-f:]+\])?[0-9A-Za-z;/?:@&=+$.\-_!~*'()%,#]+")
_URN = re.compile(r"urn:[a-z0-9][a-z0-9-]{1,31}:(?:[a-z0-9()+,.:=@;$_!*'-]|%[0-9a-f]{2})+", re.IGNORECASE)
_TAG = re.compile(
    r"tag:(?:[a-z0-9._-]+@)?[a-z0-9.-]+,\d{4}(?:-\d\d(?:-\d\d)?)?:[0-9A-Za-z;/?:@&=+$.\-_!~*'()%,#]*"
)
_SCHEMES = {
    "cid",
    "data",
    "file",
    "ftp",
    "http",
    "https",
    "info",
    "mailto",
    "mid",
    "news",
    "tag",
    "tel",
    "urn",
}
_RFC_822 = re.compile(
    r"(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d\d? [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d (?:\+0000|GMT)"
)
_RFC_3339 = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:Z|[+-]\d\d:\d\d)")
_MIME = re.compile(r"[\w.+-]+/[\w.+-]+(?:\s*;\s*[\w-]+=[\w-]+)*")
_END_TAG = re.compile(r"</(\w+)>")
_ENTITY = re.compile(r"&(#?\w+)")
_START = re.compile(r"&#[x0-9]|<[/A-Za-z]")
_ELEMENTS = {
    "a",
    "abbr",
    "address",
    "article",
    "aside",
    "audio",
    "b",
    "bdi",
    "blockquote",
    "br",
    "caption",
    "cite",
    "code",
    "col",
    "colgroup",
    "data",
    "dd",
    "del",
    "details",
    "dfn",
    "div",
    "dl",
    "dt",
    "em",
    "figcaption",
    "figure",
    "footer",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "header",
    "hr",
    "i",
    "img",
    "ins",
    "kbd",
    "li",
    "mark",
    "ol",
    "p",
    "pre",
    "q",
    "rp",
    "rt",
    "ruby",
    "s",
    "samp",
    "section",
    "small",
    "source",
    "span",
    "strike",
    "strong",
    "sub",
    "summary",
    "sup",
    "table",
    "tbody",
    "td",
    "tfoot",
    "th",
    "thead",
    "time",
    "tr",
    "tt",
    "u",
    "ul",
    "var",
    "video",
    "wbr",
}
_ATTRIBUTES = {
    "align",
    "alt",
    "cite",
    "class",
    "colspan",
    "datetime",
    "dir",
    "headers",
    "height",
    "href",
    "hreflang",
    "id",
    "lang",
    "open",
    "poster",
    "reversed",
    "rowspan",
    "scope",
    "span",
    "src",
    "start",
    "title",
    "type",
    "value",
    "width",
}
_RELATIONS = {"alternate", "current", "enclosure", "hub", "next-archive", "prev-archive", "self"}
_TEXT_ATTRIBUTES = {"href", "src", "poster", "cite"}
_IMAGE_SUFFIXES = {"gif", "jpeg", "jpg", "png"}
_EARLIEST = datetime(1990, 1, 1, tzinfo=UTC)


def find_complaints(document: bytes, url: str, now: datetime) -> list[str]:
    """All that is to be said against a feed in XML that is served at `url`."""
    text = document.decode()
    lines = []
    if not text.startswith("<?xml"):
        lines.append("NoXmlDeclaration")
    if _BAD_CHARACTERS.search(text):
        lines.append("BadCharacters")
    root = etree.fromstring(document)
    lines += _check_rss(root, url, now) if root.tag == "rss" else _check_atom(root, url, now)
    return lines


def check_uri(text: str) -> str:
    """A complaint, or nothing, of what has to be a full URI."""
    scheme = text.partition(":")[0].lower()
    if not _URI.fullmatch(text):
        return "InvalidFullLink"
    if scheme == "urn" and not _URN.fullmatch(text):
        return "InvalidURN"
    if scheme == "tag" and not _TAG.fullmatch(text):
        return "InvalidTAG"
    return "SchemeNotIANARegistered" if scheme.isalpha() and scheme not in _SCHEMES else ""


def check_plain_text(text: str) -> str:
    """Of text that some readers would take for HTML."""
    if any(name.lower() in _ELEMENTS | {"script", "style"} for name in _END_TAG.findall(text)):
        return "ContainsHTML"
    entities = (
        name
        for name in _ENTITY.findall(text)
        if name in name2codepoint or name == "apos" or not name.isalpha()
    )
    if any(entities):
        return "ContainsHTML"
    return "CharacterData" if _START.search(text) else ""


def check_text(text: str) -> str:
    return check_plain_text(text) if text.strip() else "NotBlank"


def check_html(text: str) -> str:
    """Of HTML: whether it parses, holds what every reader can show, and leads to full addresses."""
    try:
        tree = html5lib.HTMLParser(strict=True, namespaceHTMLElements=False).parseFragment(text)
    except ParseError as error:
        return f"NotHtml: {error}"
    for element in tree.iter():
        if not isinstance(element.tag, str) or element.tag == "DOCUMENT_FRAGMENT":
            continue
        if element.tag not in _ELEMENTS:
            return f"SecurityRisk: {element.tag}"
        for name, value in element.attrib.items():
            if name not in _ATTRIBUTES:
                return f"SecurityRiskAttr: {name}"
            if name in _TEXT_ATTRIBUTES and (is_invalid := check_uri(value)):
                return f"ContainsRelRef: {value}: {is_invalid}"
    return ""


def check_language(text: str) -> str:
    return "" if re.fullmatch(r"[A-Za-z]{2,3}(-[A-Za-z0-9]+)*", text) else "InvalidLanguage"


def check_number(text: str) -> str:
    return "" if text.isdecimal() and int(text) else "InvalidPositiveInteger"


def check_media_type(text: str) -> str:
    return "" if _MIME.fullmatch(text) else "InvalidMIMEType"


def check_rfc_822(text: str) -> str:
    if not _RFC_822.fullmatch(text):
        return "InvalidRFC2822Date"
    moment = parsedate_to_datetime(text)
    return "" if f"{moment:%a}" == text[:3] else "IncorrectDOW"


def check_rfc_3339(text: str) -> str:
    return "" if _RFC_3339.fullmatch(text) else "InvalidRFC3339Date"


def accept_text(_: str) -> str:
    return ""


_CHANNEL: dict[str, Check] = {
    "title": check_text,
    "link": check_uri,
    "description": check_plain_text,
    "language": check_language,
    "lastBuildDate": check_rfc_822,
    "pubDate": check_rfc_822,
    "generator": accept_text,
    "docs": check_uri,
    "ttl": check_number,
    "image": accept_text,
    f"{ATOM}link": accept_text,
    ARCHIVE: accept_text,
}
_ITEM: dict[str, Check] = {
    "title": check_text,
    "link": check_uri,
    "description": check_html,
    CONTENT: check_html,
    "guid": accept_text,
    "pubDate": check_rfc_822,
    "category": check_text,
    f"{DC}creator": accept_text,
    f"{DC}language": check_language,
    f"{MEDIA}content": accept_text,
}
_SEVERAL = {"category", f"{DC}creator", f"{ATOM}link", f"{ATOM}category", f"{ATOM}author"}
_FEED: dict[str, Check] = {
    f"{ATOM}id": check_uri,
    f"{ATOM}title": check_text,
    f"{ATOM}subtitle": check_plain_text,
    f"{ATOM}updated": check_rfc_3339,
    f"{ATOM}logo": check_uri,
    f"{ATOM}generator": check_text,
    f"{ATOM}author": accept_text,
    f"{ATOM}link": accept_text,
    ARCHIVE: accept_text,
}
_ENTRY: dict[str, Check] = {
    f"{ATOM}id": check_uri,
    f"{ATOM}title": check_text,
    f"{ATOM}updated": check_rfc_3339,
    f"{ATOM}published": check_rfc_3339,
    f"{ATOM}summary": check_plain_text,
    f"{ATOM}content": accept_text,
    f"{ATOM}author": accept_text,
    f"{ATOM}category": accept_text,
    f"{ATOM}link": accept_text,
}


def _check_rss(root: etree._Element, url: str, now: datetime) -> Iterator[str]:
    channel = root[0]
    yield from _check_children(
        channel, _CHANNEL | {"item": accept_text}, {"title", "link", "description", "language"}
    )
    yield from _check_links(channel, url)
    items = channel.findall("item")
    order = [str(child.tag) for child in channel]
    if "item" in order and set(order[order.index("item") :]) != {"item"}:
        yield "MisplacedItem"
    for image in channel.findall("image"):
        yield from _check_channel_image(image, channel)
    for item in items:
        yield from _check_item(item)
    yield from _find_repeats("DuplicateValue", [item.findtext("guid") or "" for item in items])
    dates = [date.text or "" for date in root.iter("pubDate", "lastBuildDate")]
    yield from _find_implausible_dates(
        [parsedate_to_datetime(date) for date in dates if not check_rfc_822(date)], now
    )


def _check_item(item: etree._Element) -> Iterator[str]:
    yield from _check_children(item, _ITEM, {"title", "link", "guid", "pubDate"})
    order = [child.tag for child in item]
    if CONTENT in order and "description" not in order[: order.index(CONTENT)]:
        yield "NeedDescriptionBeforeContent"
    guid = item.find("guid")
    if guid is not None and guid.get("isPermaLink", "true") == "true" and check_uri(guid.text or ""):
        yield "InvalidHttpGUID"
    for media in item.iterfind(f"{MEDIA}content"):
        yield from filter(
            None,
            [check_uri(media.get("url", "")), check_plain_text(media.findtext(f"{MEDIA}description") or "")],
        )
        yield from filter(None, (check_number(media.get(name, "1")) for name in ("width", "height")))


def _check_channel_image(image: etree._Element, channel: etree._Element) -> Iterator[str]:
    url = image.findtext("url") or ""
    yield from filter(None, [check_uri(url)])
    suffix = url.rpartition(".")[2].lower()
    if suffix.isalnum() and suffix not in _IMAGE_SUFFIXES:
        yield "ImageUrlFormat"
    for name, complaint in (("title", "ImageTitleDoesntMatch"), ("link", "ImageLinkDoesntMatch")):
        if image.findtext(name) != channel.findtext(name):
            yield complaint


def _check_atom(root: etree._Element, url: str, now: datetime) -> Iterator[str]:
    entries = root.findall(f"{ATOM}entry")
    yield from _check_children(
        root, _FEED | {f"{ATOM}entry": accept_text}, {ATOM + name for name in ("id", "title", "updated")}
    )
    yield from _check_links(root, url)
    if check_language(root.get(LANG, "")):
        yield "MissingDCLanguage"
    for entry in entries:
        yield from _check_children(
            entry, _ENTRY, {ATOM + name for name in ("id", "title", "updated", "content")}
        )
        alternates = [
            (element.get("type"), element.get("hreflang"))
            for element in entry.iterfind(f"{ATOM}link[@rel='alternate']")
        ]
        yield from _find_repeats("DuplicateAtomLink", [repr(element) for element in alternates])
        for content in entry.iterfind(f"{ATOM}content[@type='html']"):
            yield from filter(None, [check_html(content.text or "")])
    yield from filter(None, (check_text(name.text or "") for name in root.iter(f"{ATOM}name")))
    for name, complaint in (("id", "DuplicateEntries"), ("updated", "DuplicateUpdated")):
        yield from _find_repeats(complaint, [entry.findtext(ATOM + name) or "" for entry in entries])
    dates = [element.text or "" for element in root.iter(f"{ATOM}updated", f"{ATOM}published")]
    yield from _find_implausible_dates(
        [datetime.fromisoformat(element) for element in dates if not check_rfc_3339(element)], now
    )


def _check_children(parent: etree._Element, known: dict[str, Check], needed: set[str]) -> Iterator[str]:
    tags = [str(child.tag) for child in parent]
    yield from (f"MissingElement: {name}" for name in sorted(needed - set(tags)))
    yield from _find_repeats(
        "DuplicateElement", [tag for tag in tags if tag not in _SEVERAL | {"item", f"{ATOM}entry"}]
    )
    for child in parent:
        check = known.get(str(child.tag))
        if check is None:
            yield f"UndefinedElement: {child.tag}"
        elif child.get("type") == "html":
            yield from filter(None, [check_html(child.text or "")])
        elif wrong := check(child.text or ""):
            yield f"{wrong}: {child.tag}"


def _check_links(parent: etree._Element, url: str) -> Iterator[str]:
    links = parent.findall(f"{ATOM}link")
    own = [link.get("href") for link in links if link.get("rel") == "self"]
    if not own:
        yield "MissingAtomSelfLink"
    elif own != [url]:
        yield "SelfDoesntMatchLocation"
    for link in links:
        yield from filter(
            None, [check_uri(link.get("href", "")), check_media_type(link.get("type", "text/html"))]
        )
        if link.get("rel", "alternate") not in _RELATIONS:
            yield "UnregisteredAtomLinkRel"


def _find_repeats(complaint: str, values: list[str]) -> Iterator[str]:
    if len(set(values)) < len(values):
        yield complaint


def _find_implausible_dates(moments: list[datetime], now: datetime) -> Iterator[str]:
    if any(not _EARLIEST <= moment <= now + timedelta(minutes=10) for moment in moments):
        yield "ImplausibleDate"

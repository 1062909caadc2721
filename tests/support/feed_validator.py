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
_TO_READ = {"href", "src", "poster", "cite"}
_PICTURES = {"gif", "jpeg", "jpg", "png"}
_EARLIEST = datetime(1990, 1, 1, tzinfo=UTC)


def complaints(document: bytes, url: str, now: datetime) -> list[str]:
    """All that is to be said against a feed in XML that is served at `url`."""
    text = document.decode()
    found = []
    if not text.startswith("<?xml"):
        found.append("NoXmlDeclaration")
    if _BAD_CHARACTERS.search(text):
        found.append("BadCharacters")
    root = etree.fromstring(document)
    found += _rss(root, url, now) if root.tag == "rss" else _atom(root, url, now)
    return found


def uri(text: str) -> str:
    """A complaint, or nothing, of what has to be a full URI."""
    scheme = text.partition(":")[0].lower()
    if not _URI.fullmatch(text):
        return "InvalidFullLink"
    if scheme == "urn" and not _URN.fullmatch(text):
        return "InvalidURN"
    if scheme == "tag" and not _TAG.fullmatch(text):
        return "InvalidTAG"
    return "SchemeNotIANARegistered" if scheme.isalpha() and scheme not in _SCHEMES else ""


def plain(text: str) -> str:
    """Of text that some readers would take for HTML."""
    if any(name.lower() in _ELEMENTS | {"script", "style"} for name in _END_TAG.findall(text)):
        return "ContainsHTML"
    named = (
        name
        for name in _ENTITY.findall(text)
        if name in name2codepoint or name == "apos" or not name.isalpha()
    )
    if any(named):
        return "ContainsHTML"
    return "CharacterData" if _START.search(text) else ""


def said(text: str) -> str:
    return plain(text) if text.strip() else "NotBlank"


def html(text: str) -> str:
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
            if name in _TO_READ and (wrong := uri(value)):
                return f"ContainsRelRef: {value}: {wrong}"
    return ""


def language(text: str) -> str:
    return "" if re.fullmatch(r"[A-Za-z]{2,3}(-[A-Za-z0-9]+)*", text) else "InvalidLanguage"


def number(text: str) -> str:
    return "" if text.isdecimal() and int(text) else "InvalidPositiveInteger"


def media_type(text: str) -> str:
    return "" if _MIME.fullmatch(text) else "InvalidMIMEType"


def rfc_822(text: str) -> str:
    if not _RFC_822.fullmatch(text):
        return "InvalidRFC2822Date"
    moment = parsedate_to_datetime(text)
    return "" if f"{moment:%a}" == text[:3] else "IncorrectDOW"


def rfc_3339(text: str) -> str:
    return "" if _RFC_3339.fullmatch(text) else "InvalidRFC3339Date"


def any_text(_: str) -> str:
    return ""


_CHANNEL: dict[str, Check] = {
    "title": said,
    "link": uri,
    "description": plain,
    "language": language,
    "lastBuildDate": rfc_822,
    "pubDate": rfc_822,
    "generator": any_text,
    "docs": uri,
    "ttl": number,
    "image": any_text,
    f"{ATOM}link": any_text,
    ARCHIVE: any_text,
}
_ITEM: dict[str, Check] = {
    "title": said,
    "link": uri,
    "description": html,
    CONTENT: html,
    "guid": any_text,
    "pubDate": rfc_822,
    "category": said,
    f"{DC}creator": any_text,
    f"{DC}language": language,
    f"{MEDIA}content": any_text,
}
_SEVERAL = {"category", f"{DC}creator", f"{ATOM}link", f"{ATOM}category", f"{ATOM}author"}
_FEED: dict[str, Check] = {
    f"{ATOM}id": uri,
    f"{ATOM}title": said,
    f"{ATOM}subtitle": plain,
    f"{ATOM}updated": rfc_3339,
    f"{ATOM}logo": uri,
    f"{ATOM}generator": said,
    f"{ATOM}author": any_text,
    f"{ATOM}link": any_text,
    ARCHIVE: any_text,
}
_ENTRY: dict[str, Check] = {
    f"{ATOM}id": uri,
    f"{ATOM}title": said,
    f"{ATOM}updated": rfc_3339,
    f"{ATOM}published": rfc_3339,
    f"{ATOM}summary": plain,
    f"{ATOM}content": any_text,
    f"{ATOM}author": any_text,
    f"{ATOM}category": any_text,
    f"{ATOM}link": any_text,
}


def _rss(root: etree._Element, url: str, now: datetime) -> Iterator[str]:
    channel = root[0]
    yield from _children(channel, _CHANNEL | {"item": any_text}, {"title", "link", "description", "language"})
    yield from _links(channel, url)
    items = channel.findall("item")
    order = [str(child.tag) for child in channel]
    if "item" in order and set(order[order.index("item") :]) != {"item"}:
        yield "MisplacedItem"
    for picture in channel.findall("image"):
        yield from _channel_picture(picture, channel)
    for item in items:
        yield from _item(item)
    yield from _twice("DuplicateValue", [item.findtext("guid") or "" for item in items])
    dates = [each.text or "" for each in root.iter("pubDate", "lastBuildDate")]
    yield from _implausible([parsedate_to_datetime(each) for each in dates if not rfc_822(each)], now)


def _item(item: etree._Element) -> Iterator[str]:
    yield from _children(item, _ITEM, {"title", "link", "guid", "pubDate"})
    order = [child.tag for child in item]
    if CONTENT in order and "description" not in order[: order.index(CONTENT)]:
        yield "NeedDescriptionBeforeContent"
    guid = item.find("guid")
    if guid is not None and guid.get("isPermaLink", "true") == "true" and uri(guid.text or ""):
        yield "InvalidHttpGUID"
    for media in item.iterfind(f"{MEDIA}content"):
        yield from filter(
            None, [uri(media.get("url", "")), plain(media.findtext(f"{MEDIA}description") or "")]
        )
        yield from filter(None, (number(media.get(name, "1")) for name in ("width", "height")))


def _channel_picture(picture: etree._Element, channel: etree._Element) -> Iterator[str]:
    address = picture.findtext("url") or ""
    yield from filter(None, [uri(address)])
    ending = address.rpartition(".")[2].lower()
    if ending.isalnum() and ending not in _PICTURES:
        yield "ImageUrlFormat"
    for name, complaint in (("title", "ImageTitleDoesntMatch"), ("link", "ImageLinkDoesntMatch")):
        if picture.findtext(name) != channel.findtext(name):
            yield complaint


def _atom(root: etree._Element, url: str, now: datetime) -> Iterator[str]:
    entries = root.findall(f"{ATOM}entry")
    yield from _children(
        root, _FEED | {f"{ATOM}entry": any_text}, {ATOM + name for name in ("id", "title", "updated")}
    )
    yield from _links(root, url)
    if language(root.get(LANG, "")):
        yield "MissingDCLanguage"
    for entry in entries:
        yield from _children(entry, _ENTRY, {ATOM + name for name in ("id", "title", "updated", "content")})
        alternates = [
            (each.get("type"), each.get("hreflang"))
            for each in entry.iterfind(f"{ATOM}link[@rel='alternate']")
        ]
        yield from _twice("DuplicateAtomLink", [repr(each) for each in alternates])
        for content in entry.iterfind(f"{ATOM}content[@type='html']"):
            yield from filter(None, [html(content.text or "")])
    yield from filter(None, (said(name.text or "") for name in root.iter(f"{ATOM}name")))
    for name, complaint in (("id", "DuplicateEntries"), ("updated", "DuplicateUpdated")):
        yield from _twice(complaint, [entry.findtext(ATOM + name) or "" for entry in entries])
    dates = [each.text or "" for each in root.iter(f"{ATOM}updated", f"{ATOM}published")]
    yield from _implausible([datetime.fromisoformat(each) for each in dates if not rfc_3339(each)], now)


def _children(parent: etree._Element, known: dict[str, Check], needed: set[str]) -> Iterator[str]:
    tags = [str(child.tag) for child in parent]
    yield from (f"MissingElement: {name}" for name in sorted(needed - set(tags)))
    yield from _twice(
        "DuplicateElement", [tag for tag in tags if tag not in _SEVERAL | {"item", f"{ATOM}entry"}]
    )
    for child in parent:
        check = known.get(str(child.tag))
        if check is None:
            yield f"UndefinedElement: {child.tag}"
        elif child.get("type") == "html":
            yield from filter(None, [html(child.text or "")])
        elif wrong := check(child.text or ""):
            yield f"{wrong}: {child.tag}"


def _links(parent: etree._Element, url: str) -> Iterator[str]:
    links = parent.findall(f"{ATOM}link")
    own = [link.get("href") for link in links if link.get("rel") == "self"]
    if not own:
        yield "MissingAtomSelfLink"
    elif own != [url]:
        yield "SelfDoesntMatchLocation"
    for link in links:
        yield from filter(None, [uri(link.get("href", "")), media_type(link.get("type", "text/html"))])
        if link.get("rel", "alternate") not in _RELATIONS:
            yield "UnregisteredAtomLinkRel"


def _twice(complaint: str, values: list[str]) -> Iterator[str]:
    if len(set(values)) < len(values):
        yield complaint


def _implausible(moments: list[datetime], now: datetime) -> Iterator[str]:
    if any(not _EARLIEST <= moment <= now + timedelta(minutes=10) for moment in moments):
        yield "ImplausibleDate"

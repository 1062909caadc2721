"""Lists of a post: what stands in a list are its items, and items stand in a list.

In and out: the tree of a fragment. Posts forget the <li> around a nested list, or leave a <dt> without its <dd>; a screen
reader counts the items of a list, and is lost in one that holds anything else.
"""

from lxml.html import HtmlElement

from ketapress.mail.body.dom import new_element

_ITEMS = {"ul": frozenset(["li"]), "ol": frozenset(["li"]), "dl": frozenset(["dt", "dd"])}
_NEW_ITEM = {"ul": "li", "ol": "li", "dl": "dd"}


def mend_lists(root: HtmlElement) -> None:
    for inner in root.xpath(".//dl/div"):
        inner.drop_tag()
    for each in list(root.iter(*_ITEMS)):
        _gather_strays(each)
    for each in list(root.iter("dl")):
        if not _defines(each):
            _undefine(each)
    for item in list(root.iter("li", "dt", "dd")):
        if item.tag not in _ITEMS.get(item.getparent().tag, ()):
            item.tag = "div"


def _gather_strays(box: HtmlElement) -> None:
    """What is no item goes into the item before it, or becomes one."""
    stray = box.text or ""
    box.text = None
    if stray.strip():
        box.insert(0, new_element(_NEW_ITEM[box.tag], stray))
    for child in list(box):
        tail, child.tail = child.tail or "", None
        if child.tag not in _ITEMS[box.tag]:
            _item_before(child).append(child)
            child.tail = tail
        elif tail.strip():
            child.addnext(new_element(_NEW_ITEM[box.tag], tail))


def _item_before(child: HtmlElement) -> HtmlElement:
    box, before = child.getparent(), child.getprevious()
    if before is not None and before.tag == _NEW_ITEM[box.tag]:
        return before
    item = new_element(_NEW_ITEM[box.tag])
    child.addprevious(item)
    return item


def _defines(box: HtmlElement) -> bool:
    """Whether there is a term with its definition after it."""
    tags = [child.tag for child in box]
    return "dt" in tags and "dd" in tags[tags.index("dt") :]


def _undefine(box: HtmlElement) -> None:
    """Definitions without terms are mere indentation, terms without definitions mere text."""
    box.tag = "div"
    for child in box:
        child.tag = "div"

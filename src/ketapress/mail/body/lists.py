"""Lists of a post: what stands in a list are its items, and items stand in a list.

In and out: the tree of a fragment. Posts forget the <li> around a nested list, or leave a <dt> without its <dd>; a screen
reader counts the items of a list, and is lost in one that holds anything else.
"""

from lxml.html import HtmlElement

from ketapress.mail.body.dom import new_element

_ITEM_TAGS = {"ul": frozenset(["li"]), "ol": frozenset(["li"]), "dl": frozenset(["dt", "dd"])}
_NEW_ITEM_TAG = {"ul": "li", "ol": "li", "dl": "dd"}


def fix_lists(root: HtmlElement) -> None:
    for wrapper in root.xpath(".//dl/div"):
        wrapper.drop_tag()
    for list_element in list(root.iter(*_ITEM_TAGS)):
        _wrap_stray_content(list_element)
    for list_element in list(root.iter("dl")):
        if not _has_definition(list_element):
            _convert_to_blocks(list_element)
    for item in list(root.iter("li", "dt", "dd")):
        if item.tag not in _ITEM_TAGS.get(item.getparent().tag, ()):
            item.tag = "div"


def _wrap_stray_content(list_element: HtmlElement) -> None:
    """What is no item goes into the item before it, or becomes one."""
    leading_text = list_element.text or ""
    list_element.text = None
    if leading_text.strip():
        list_element.insert(0, new_element(_NEW_ITEM_TAG[list_element.tag], leading_text))
    for child in list(list_element):
        tail, child.tail = child.tail or "", None
        if child.tag not in _ITEM_TAGS[list_element.tag]:
            _previous_item(child).append(child)
            child.tail = tail
        elif tail.strip():
            child.addnext(new_element(_NEW_ITEM_TAG[list_element.tag], tail))


def _previous_item(child: HtmlElement) -> HtmlElement:
    list_element, previous = child.getparent(), child.getprevious()
    if previous is not None and previous.tag == _NEW_ITEM_TAG[list_element.tag]:
        return previous
    item = new_element(_NEW_ITEM_TAG[list_element.tag])
    child.addprevious(item)
    return item


def _has_definition(list_element: HtmlElement) -> bool:
    """Whether there is a term with its definition after it."""
    tags = [child.tag for child in list_element]
    return "dt" in tags and "dd" in tags[tags.index("dt") :]


def _convert_to_blocks(list_element: HtmlElement) -> None:
    """Definitions without terms are mere indentation, terms without definitions mere text."""
    list_element.tag = "div"
    for child in list_element:
        child.tag = "div"

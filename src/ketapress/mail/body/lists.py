"""Fix the lists of a post in place, so that lists hold only items, and items stand only in lists.

Authors forget the <li> around a nested list, or leave a <dt> without a <dd>; screen readers count the items of a list and
fail on anything else in it.
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
        tags = [child.tag for child in list_element]
        if "dt" not in tags or "dd" not in tags[tags.index("dt") :]:
            # Definitions without terms are only indentation, terms without definitions only text.
            for element in (list_element, *list_element):
                element.tag = "div"
    for item in list(root.iter("li", "dt", "dd")):
        if item.tag not in _ITEM_TAGS.get(item.getparent().tag, ()):
            item.tag = "div"


def _wrap_stray_content(list_element: HtmlElement) -> None:
    """Move stray content into the item before it, or make it an item."""
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

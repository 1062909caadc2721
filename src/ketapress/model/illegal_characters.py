"""Characters that text must not contain, as ranges for the set of a regular expression (`[…]`).

The policies differ because their reasons do, and each is a sum of the same ranges. Feeds use a set of what is allowed
(`feeds.model`): with the noncharacters of all planes, a set of what is not is forty times as slow.
"""

_CONTROLS = "\x00-\x08\x0b\x0c\x0e-\x1f"  # C0 without tab, line feed and return
_BLANK_CONTROLS = "\t\n\r"
_MORE_CONTROLS = "\x7f-\x9f"  # DEL and C1
_LINE_SEPARATORS = "\u2028\u2029"
_SURROGATES = "\ud800-\udfff"  # halves of a pair, which no encoding has
_REPLACEMENT = "\ufffd"  # in the place of bytes that could not be decoded
_NONCHARACTERS = "\ufffe\uffff"
_MORE_NONCHARACTERS = "\ufdd0-\ufdef"

XML = _CONTROLS + _SURROGATES + _NONCHARACTERS
"""Illegal in XML 1.0 (2.2): lxml raises."""

POST = XML + _MORE_CONTROLS + _REPLACEMENT
"""Removed from posts: what XML, JSON readers or mail programs cannot read, and traces of a wrong encoding."""

LINE = _CONTROLS + _BLANK_CONTROLS + _MORE_CONTROLS + _LINE_SEPARATORS
"""Refused in a value of one line: a name, an address, a path."""

HEADER = LINE + _SURROGATES + _NONCHARACTERS + _MORE_NONCHARACTERS
"""Replaced by a space in the headers of a message."""

DIRECTION = "\u202a-\u202e\u2066-\u2069"
"""Refused in names: they change the direction of text, and can hide what a person reads (Unicode TR 36)."""

"""What language a post speaks, as the attributes of an element: `<article{{ post|speech }}>`."""

from markupsafe import Markup

from ketapress.model.language import direction
from ketapress.model.post import Post

_SILENT = Markup()


def speech(post: Post) -> Markup:
    """` lang="ar" dir="rtl"` with the blank before it; nothing for a post that does as the site does."""
    if not post.lang and not post.dir:
        return _SILENT
    told = {"lang": post.lang, "dir": post.dir or (direction(post.lang) if post.lang else None)}
    attributes = (Markup(' {}="{}"').format(name, value) for name, value in told.items() if value)
    return Markup().join(attributes)

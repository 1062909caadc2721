"""What language a post speaks, as the attributes of an element: `<article{{ post|speech }}>`."""

from markupsafe import Markup

from ketapress.model.language import direction
from ketapress.model.post import Post

_SILENT = Markup()


def speech(post: Post) -> Markup:
    """The filter `speech`."""
    return attributes(post.lang, post.dir)


def attributes(lang: str | None, way: str | None) -> Markup:
    """` lang="ar" dir="rtl"` with the blank before it; nothing for a post that does as the site does."""
    if not lang and not way:
        return _SILENT
    told = {"lang": lang, "dir": way or (direction(lang) if lang else None)}
    return Markup().join(Markup(' {}="{}"').format(name, value) for name, value in told.items() if value)

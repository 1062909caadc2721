"""The filter `speech`: a post's language and direction as attributes of an element, `<article{{ post|speech }}>`."""

from markupsafe import Markup

from ketapress.model.language import text_direction
from ketapress.model.post import Post

_EMPTY = Markup()


def speech_filter(post: Post) -> Markup:
    """Return the `lang` and `dir` attributes of a post."""
    return lang_attributes(post.lang, post.dir)


def lang_attributes(lang: str | None, text_dir: str | None) -> Markup:
    """Return ` lang="ar" dir="rtl"` with a leading space; empty for a post in the site's language and direction."""
    if not lang and not text_dir:
        return _EMPTY
    values = {"lang": lang, "dir": text_dir or (text_direction(lang) if lang else None)}
    return Markup().join(Markup(' {}="{}"').format(name, value) for name, value in values.items() if value)

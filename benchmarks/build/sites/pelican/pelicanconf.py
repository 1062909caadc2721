"""The smallest Pelican site: a page for each post, an index, a feed of the newest 50. Its cache is on."""

SITENAME = "The Benchmark Reader"
SITEURL = FEED_DOMAIN = "https://reader.example"
TIMEZONE = "UTC"
DEFAULT_LANG = "en"
PATH = "posts"
OUTPUT_PATH = "public"
THEME = "theme"

DIRECT_TEMPLATES = ["index"]
DEFAULT_PAGINATION = False
ARTICLE_URL = ARTICLE_SAVE_AS = "{slug}/index.html"
TAG_SAVE_AS = CATEGORY_SAVE_AS = AUTHOR_SAVE_AS = ""

FEED_ALL_RSS = "feed.xml"
FEED_MAX_ITEMS = 50
RSS_FEED_SUMMARY_ONLY = False
FEED_ALL_ATOM = CATEGORY_FEED_ATOM = TRANSLATION_FEED_ATOM = AUTHOR_FEED_ATOM = AUTHOR_FEED_RSS = None

MARKDOWN = {
    "extension_configs": {"markdown.extensions.extra": {}, "markdown.extensions.meta": {}},
    "output_format": "html5",
}

CACHE_CONTENT = LOAD_CONTENT_CACHE = True

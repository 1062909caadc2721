"""Whether a header keeps its post back: drafts, what is held, and what other tools would have shown to few readers.

In comes a header whose names are in lower case, out goes yes or no, with warnings for switches that cannot be read.
What cannot be read counts as on: it is safer to keep a post back than to send it.
"""

from collections.abc import Mapping

from ketapress.model.errors import Problem, Severity
from ketapress.posts.frontmatter.values import Value, invalid_value, parse_flag, to_text

_PUBLIC_STATES = {
    *("published", "publish", "public", "scheduled", "future", "sent", "final", "live", "done", "ready"),
    *("approved", "featured"),
}
_DRAFT_STATES = {
    *("draft", "hidden", "skip", "unlisted", "private", "pending", "review", "idea", "trash", "archived"),
}
_DRAFT_SWITCHES = ("draft", "isdraft", "is_draft")
_PUBLIC_SWITCHES = ("published", "publish", "render", "permalink")
"""Their `false` is a draft: Jekyll's, VuePress's, Zola's, and Eleventy's page that is not written."""
_AUDIENCE_SWITCHES = ("private", "hidden", "unlisted", "headless", "eleventyexcludefromcollections")
_BUILD_OPTIONS = ("build", "_build")
_EXCLUSION_VALUES = {"never", "false", "link"}
_BUILD_EXCLUSIONS = {"render": _EXCLUSION_VALUES, "list": _EXCLUSION_VALUES - {"link"}}
"""Hugo's build options, and what they say where a page is not made or in no list."""


def is_draft(header: Mapping[str, Value], problems: list[Problem]) -> bool:
    """Whether the post is a draft, by any of the names that tools have for it."""
    state = _is_draft_state(header, problems)
    if state is not None:
        return state
    if any(_is_switch_on(header, name, problems) for name in _DRAFT_SWITCHES):
        return True
    if any(parse_flag(header.get(name)) is False for name in _PUBLIC_SWITCHES):
        return True
    return _has_limited_audience(header, problems)


def is_on_hold(header: Mapping[str, Value], problems: list[Problem]) -> bool:
    """Whether the post waits for a person."""
    return _is_switch_on(header, "hold", problems)


def _is_draft_state(header: Mapping[str, Value], problems: list[Problem]) -> bool | None:
    """Whether the state that the header names is a draft's; None where it names none, or a public one."""
    name = "status" if header.get("status") else "visibility"
    value = header.get(name)
    state = to_text(value[0] if isinstance(value, list) and value else value).lower()
    if not state or state in _PUBLIC_STATES:
        return None
    if state not in _DRAFT_STATES:
        consequence, cure = "so the post is taken as a draft", "Write `draft` or `published`."
        problems.append(invalid_value(name, state, consequence, cure))
    return True


def _has_limited_audience(header: Mapping[str, Value], problems: list[Problem]) -> bool:
    """Whether another tool would have shown the post to some readers only; there is no such thing here."""
    name = next(
        (name for name in _AUDIENCE_SWITCHES if parse_flag(header.get(name))), ""
    ) or _find_build_exclusion(header)
    name = name or ("password" if to_text(header.get("password")) else "")
    if name:
        problems.append(
            Problem(
                code="post.header-value",
                severity=Severity.WARNING,
                message=f"`{name}` keeps the post back: here every post is for all readers, so it is taken as a draft.",
                cure=f"Take `{name}` out of the header to publish it.",
            )
        )
    return bool(name)


def _find_build_exclusion(header: Mapping[str, Value]) -> str:
    """The build option that keeps Hugo from making the page, or from listing it; empty where there is none."""
    for table in _BUILD_OPTIONS:
        options = header.get(table)
        if isinstance(options, dict):
            for name, exclusions in _BUILD_EXCLUSIONS.items():
                if to_text(options.get(name)).lower() in exclusions:
                    return f"{table}.{name}"
    return ""


def _is_switch_on(header: Mapping[str, Value], name: str, problems: list[Problem]) -> bool:
    """Whether a switch is on."""
    value = header.get(name)
    if value is None or to_text(value) == "":
        return bool(value) and not isinstance(value, str)
    state = parse_flag(value)
    if state is None:
        consequence, cure = "so it is taken as true", "Write `true` or `false`."
        problems.append(invalid_value(name, to_text(value), consequence, cure))
    return state is not False

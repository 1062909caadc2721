"""What mail links to: leaving in one click, never by a look, and preferences."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from ketapress.mail.tokens import SAMPLE_TOKEN, Purpose, create_token
from ketapress.testing import ScriptedRelay
from ketapress.web.subscription_routes import LARGEST_FORM
from support.cli_runner import ketapress
from support.web_fixture import Door, open_door

ONE_CLICK = {"List-Unsubscribe": "One-Click"}
UNSUBSCRIBE, PREFERENCES = Purpose.UNSUBSCRIBE, Purpose.PREFERENCES


def states(root: Path) -> list[str]:
    result = ketapress(root, "subscribers", "list", "--json").result
    return [state for person in result["subscribers"] for state in person["subscriptions"].values()]


def test_a_look_asks_and_changes_nothing(own_door: Door) -> None:
    path = own_door.path(UNSUBSCRIBE)
    for method in ("GET", "HEAD", "GET"):
        answer = own_door.client.request(method, path, headers={"User-Agent": "a link scanner"})
        assert answer.status_code == 200
    assert "Unsubscribe?" in answer.text
    assert "a…\u2060@example.net will receive no more mail from The Example Weekly." in answer.text
    assert "ann@example.net" not in answer.text
    assert states(own_door.root) == ["active"]


@pytest.mark.parametrize(
    "body", [{"data": ONE_CLICK}, {"files": {"List-Unsubscribe": (None, "One-Click")}}, {}]
)
def test_one_click_needs_no_cookie_and_no_redirect_and_is_fine_twice(
    own_door: Door, body: dict[str, dict[str, str]]
) -> None:
    for _ in range(2):
        answer = own_door.client.post(own_door.path(UNSUBSCRIBE), **body)  # type: ignore[arg-type]  # any form
        assert answer.status_code == 200
        assert "You are unsubscribed" in answer.text
        assert not {"set-cookie", "location"} & set(answer.headers)
        assert states(own_door.root) == ["left"]
    assert "You are unsubscribed" in own_door.client.get(own_door.path(UNSUBSCRIBE)).text


def test_the_subscriber_is_on_record_as_who_left_once(own_door: Door) -> None:
    for _ in range(3):
        own_door.client.post(own_door.path(UNSUBSCRIBE), data=ONE_CLICK)
    found = ketapress(own_door.root, "subscribers", "history", "ann@example.net", "--json").result["events"]
    assert [(each["what"], each["by"]) for each in found if each["what"] == "left"] == [
        ("left", "subscriber")
    ]


def test_fifty_at_once_are_all_told_that_it_is_done(own_door: Door) -> None:
    path = own_door.path(UNSUBSCRIBE)
    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(lambda _: own_door.client.post(path, data=ONE_CLICK).status_code, range(50)))
    assert answers == [200] * 50
    assert states(own_door.root) == ["left"]


def altered(path: str) -> list[str]:
    head, _, text = path.rpartition("/")
    other = "B" if text[20] == "A" else "A"
    spelled = [
        text[:20] + other + text[21:],
        text[:-1],
        text + "A",
        text.swapcase(),
        "A" * 36,
        SAMPLE_TOKEN,
        "%00",
        "ä",
    ]
    return [f"{head}/{each}" for each in spelled]


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_token_that_is_not_genuine_opens_nothing_and_says_so_kindly(door: Door, method: str) -> None:
    for purpose in (UNSUBSCRIBE, PREFERENCES):
        for path in altered(door.path(purpose)):
            answer = door.client.request(method, path)
            assert answer.status_code == 404
            assert "This link does not work" in answer.text
    assert states(door.root) == ["active"]


def test_a_token_is_good_for_its_own_purpose_alone(door: Door) -> None:
    for made, asked in ((UNSUBSCRIBE, PREFERENCES), (PREFERENCES, UNSUBSCRIBE)):
        path = door.path(made).replace(f"/{made}/", f"/{asked}/")
        assert door.client.post(path, data={"leave": "all"}).status_code == 404
    assert states(door.root) == ["active"]


def test_links_signed_with_an_earlier_secret_still_work_and_those_of_strangers_do_not(
    published: Path,
) -> None:
    old, new = "o" * 32, "n" * 32
    toml = published / "ketapress.toml"
    toml.write_text(toml.read_text() + f'\n[web]\nsecret = "{new}"\nprevious_secrets = ["{old}"]\n')
    with open_door(published) as door:
        for secret, status in ((old, 200), (new, 200), ("s" * 32, 404)):
            path = f"/unsubscribe/{create_token(secret, UNSUBSCRIBE, 1)}"
            assert door.client.get(path).status_code == status


def test_an_erased_person_is_told_that_nothing_is_left(own_door: Door) -> None:
    ketapress(own_door.root, "subscribers", "erase", "ann@example.net")
    for purpose in (UNSUBSCRIBE, PREFERENCES):
        for method in ("GET", "POST"):
            answer = own_door.client.request(method, own_door.path(purpose))
            assert answer.status_code == 200
            assert "has no subscriptions" in answer.text


def test_a_body_larger_than_any_form_is_refused(own_door: Door) -> None:
    for purpose in (UNSUBSCRIBE, PREFERENCES):
        answer = own_door.client.post(own_door.path(purpose), content=b"a" * (LARGEST_FORM + 1))
        assert answer.status_code == 413
    assert states(own_door.root) == ["active"]


def test_answers_are_kept_by_nobody_and_the_link_goes_nowhere_else(door: Door) -> None:
    heads = door.client.get(door.path(UNSUBSCRIBE)).headers
    assert (heads["Cache-Control"], heads["Referrer-Policy"]) == ("no-store", "no-referrer")
    assert heads["X-Robots-Tag"] == "noindex"


def test_who_leaves_after_the_freeze_gets_nothing_any_more(published: Path) -> None:
    """Two readers are frozen; the relay is down; one leaves by the link; the relay is back."""
    ketapress(published, "subscribers", "add", "bob@example.net")
    toml = published / "ketapress.toml"
    text = toml.read_text()
    toml.write_text(text + '\n[relay]\nurl = "smtp://127.0.0.1:1"\n')
    assert ketapress(published, "send", "--at", "2023-06-12T09:00").exit_code == 1
    with open_door(published) as door:
        assert door.client.post(door.path(UNSUBSCRIBE), data=ONE_CLICK).status_code == 200
    with ScriptedRelay() as relay:
        toml.write_text(f'{text}\n[relay]\nurl = "{relay.url}"\n')
        (report,) = ketapress(published, "send", "--at", "2023-06-12T10:00", "--json").result["editions"]
        assert [each.recipient for each in relay.messages] == ["bob@example.net"]
    assert (report["sent"], report["suppressed"]) == (1, 1)


def test_the_links_in_a_letter_open_these_pages(published: Path) -> None:
    """As a mail provider and as a reader: the addresses are taken from the message that the relay got."""
    toml = published / "ketapress.toml"
    with ScriptedRelay() as relay:
        toml.write_text(f'{toml.read_text()}\n[relay]\nurl = "{relay.url}"\n')
        ketapress(published, "send", "--at", "2023-06-12T09:00")
        (message,) = relay.messages
    head = message.message.partition(b"\r\n\r\n")[0].decode().replace("\r\n ", " ")
    link = next(line for line in head.split("\r\n") if line.startswith("List-Unsubscribe:"))
    assert "List-Unsubscribe-Post: List-Unsubscribe=One-Click" in head
    path = link.partition("<https://example.org")[2].partition(">")[0]
    with open_door(published) as door:
        assert "Unsubscribe?" in door.client.get(path).text
        assert door.client.get("/archive/weekly/2023-06-12T0800.html").status_code == 200
        assert door.client.post(path, data=ONE_CLICK).status_code == 200
    assert states(published) == ["left"]


@pytest.fixture
def two_letters(published: Path) -> Iterator[Door]:
    """Ann gets two newsletters, Bob one of them."""
    toml = published / "ketapress.toml"
    toml.write_text(
        toml.read_text()
        + '\n[newsletters.daily]\ntitle = "The Daily & More"\nschedule = "0 8 * * *"\nstarts = 2030-01-01\nfrom = "d@example.org"\n'
    )
    ketapress(published, "subscribers", "add", "ann@example.net", "--newsletter", "daily")
    ketapress(published, "subscribers", "add", "bob@example.net", "--newsletter", "daily")
    with open_door(published) as door:
        yield door


def test_preferences_show_every_newsletter_of_the_reader_and_leave_one_or_all(two_letters: Door) -> None:
    door, path = two_letters, two_letters.path(PREFERENCES)
    shown = door.client.get(path)
    assert "The Daily &amp; More" in shown.text
    assert "The Example Weekly" in shown.text
    assert "Unsubscribe from all" in shown.text
    assert states(door.root) == ["active", "active", "active"]
    assert "Not subscribed" in door.client.post(path, data={"leave": "1"}).text
    assert states(door.root) == ["left", "active", "active"]
    assert "has no subscriptions" in door.client.post(path, data={"leave": "all"}).text
    assert states(door.root) == ["left", "left", "active"]


@pytest.mark.parametrize("leave", ["3", "", "0", "-1", "1 OR 1=1", "٣", "9" * 400])
def test_preferences_leave_nothing_that_is_not_the_readers(two_letters: Door, leave: str) -> None:
    assert two_letters.client.post(two_letters.path(PREFERENCES), data={"leave": leave}).status_code == 200
    assert states(two_letters.root) == ["active", "active", "active"]


@pytest.mark.parametrize(
    ("tag", "said", "language"),
    [
        ("de-CH", "Abbestellen?", 'lang="de" dir="ltr"'),
        ("ar", "إلغاء الاشتراك؟", 'lang="ar" dir="rtl"'),
        ("zh-Hans", "要退订吗？", 'lang="zh" dir="ltr"'),
        ("fr", "Se désabonner ?", 'lang="fr" dir="ltr"'),
        ("es", "¿Darse de baja?", 'lang="es" dir="ltr"'),
        ("ja", "Unsubscribe?", 'lang="en" dir="ltr"'),
    ],
)
def test_pages_speak_the_language_of_the_newsletter(
    published: Path, tag: str, said: str, language: str
) -> None:
    toml = published / "ketapress.toml"
    toml.write_text(toml.read_text().replace("[site]", f'[site]\nlanguage = "{tag}"'))
    with open_door(published) as door:
        page = door.client.get(door.path(UNSUBSCRIBE)).text
    assert said in page
    assert language in page


def test_a_publication_may_have_pages_of_its_own(published: Path) -> None:
    (published / "templates" / "web").mkdir(parents=True)
    (published / "templates" / "web" / "leave.html").write_text("<p>Really, {{ site.title }}?</p>")
    with open_door(published) as door:
        assert door.client.get(door.path(UNSUBSCRIBE)).text == "<p>Really, The Example Press?</p>"


def test_a_database_that_cannot_be_read_is_said_kindly_and_nobody_is_told_that_it_is_done(
    own_door: Door,
) -> None:
    own_door.site.store.close()
    for file in own_door.root.glob("ketapress.db*"):
        file.unlink()
    (own_door.root / "ketapress.db").mkdir()
    answer = own_door.client.post(own_door.path(UNSUBSCRIBE), data=ONE_CLICK)
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "60")
    assert "Please try again" in answer.text
    said = own_door.said.getvalue()
    assert '"web.fault"' in said
    assert own_door.path(UNSUBSCRIBE).rpartition("/")[2] not in said

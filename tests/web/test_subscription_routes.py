"""The addresses that mail links to: unsubscribing in one click, never by a GET, and preferences."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from ketapress.mail.tokens import SAMPLE_TOKEN, Purpose, create_token
from ketapress.testing import ScriptedRelay
from ketapress.web.subscription_routes import MAX_FORM_BYTES
from support.cli_runner import ketapress
from support.web_fixture import WebServer, run_web_server

ONE_CLICK = {"List-Unsubscribe": "One-Click"}
UNSUBSCRIBE, PREFERENCES = Purpose.UNSUBSCRIBE, Purpose.PREFERENCES


def list_states(root: Path) -> list[str]:
    result = ketapress(root, "subscribers", "list", "--json").result
    return [state for subscriber in result["subscribers"] for state in subscriber["subscriptions"].values()]


def test_a_look_asks_and_changes_nothing(own_server: WebServer) -> None:
    path = own_server.build_link_path(UNSUBSCRIBE)
    for method in ("GET", "HEAD", "GET"):
        response = own_server.client.request(method, path, headers={"User-Agent": "a link scanner"})
        assert response.status_code == 200
    assert "Unsubscribe?" in response.text
    assert "a…\u2060@example.net will receive no more mail from The Example Weekly." in response.text
    assert "ann@example.net" not in response.text
    assert list_states(own_server.root) == ["active"]


@pytest.mark.parametrize(
    "body", [{"data": ONE_CLICK}, {"files": {"List-Unsubscribe": (None, "One-Click")}}, {}]
)
def test_one_click_needs_no_cookie_and_no_redirect_and_is_fine_twice(
    own_server: WebServer, body: dict[str, dict[str, str]]
) -> None:
    for _ in range(2):
        response = own_server.client.post(own_server.build_link_path(UNSUBSCRIBE), **body)  # type: ignore[arg-type]  # any form
        assert response.status_code == 200
        assert "You are unsubscribed" in response.text
        assert not {"set-cookie", "location"} & set(response.headers)
        assert list_states(own_server.root) == ["left"]
    assert "You are unsubscribed" in own_server.client.get(own_server.build_link_path(UNSUBSCRIBE)).text


def test_the_subscriber_is_on_record_as_who_left_once(own_server: WebServer) -> None:
    for _ in range(3):
        own_server.client.post(own_server.build_link_path(UNSUBSCRIBE), data=ONE_CLICK)
    result = ketapress(own_server.root, "subscribers", "history", "ann@example.net", "--json").result
    assert [(event["what"], event["by"]) for event in result["events"] if event["what"] == "left"] == [
        ("left", "subscriber")
    ]


def test_fifty_at_once_are_all_told_that_it_is_done(own_server: WebServer) -> None:
    path = own_server.build_link_path(UNSUBSCRIBE)
    with ThreadPoolExecutor(20) as pool:
        statuses = list(
            pool.map(lambda _: own_server.client.post(path, data=ONE_CLICK).status_code, range(50))
        )
    assert statuses == [200] * 50
    assert list_states(own_server.root) == ["left"]


def list_altered_paths(path: str) -> list[str]:
    folder, _, token = path.rpartition("/")
    letter = "B" if token[20] == "A" else "A"
    tokens = [
        token[:20] + letter + token[21:],
        token[:-1],
        token + "A",
        token.swapcase(),
        "A" * 36,
        SAMPLE_TOKEN,
        "%00",
        "ä",
    ]
    return [f"{folder}/{altered_token}" for altered_token in tokens]


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_token_that_is_not_genuine_opens_nothing_and_says_so_kindly(server: WebServer, method: str) -> None:
    for purpose in (UNSUBSCRIBE, PREFERENCES):
        for path in list_altered_paths(server.build_link_path(purpose)):
            response = server.client.request(method, path)
            assert response.status_code == 404
            assert "This link does not work" in response.text
    assert list_states(server.root) == ["active"]


def test_a_token_is_good_for_its_own_purpose_alone(server: WebServer) -> None:
    for purpose, other in ((UNSUBSCRIBE, PREFERENCES), (PREFERENCES, UNSUBSCRIBE)):
        path = server.build_link_path(purpose).replace(f"/{purpose}/", f"/{other}/")
        assert server.client.post(path, data={"leave": "all"}).status_code == 404
    assert list_states(server.root) == ["active"]


def test_links_signed_with_an_earlier_secret_still_work_and_those_of_strangers_do_not(
    own_publication: Path,
) -> None:
    old, new = "o" * 32, "n" * 32
    toml = own_publication / "ketapress.toml"
    toml.write_text(toml.read_text() + f'\n[web]\nsecret = "{new}"\nprevious_secrets = ["{old}"]\n')
    with run_web_server(own_publication) as server:
        for secret, status in ((old, 200), (new, 200), ("s" * 32, 404)):
            path = f"/unsubscribe/{create_token(secret, UNSUBSCRIBE, 1)}"
            assert server.client.get(path).status_code == status


def test_an_erased_person_is_told_that_nothing_is_left(own_server: WebServer) -> None:
    ketapress(own_server.root, "subscribers", "erase", "ann@example.net")
    for purpose in (UNSUBSCRIBE, PREFERENCES):
        for method in ("GET", "POST"):
            response = own_server.client.request(method, own_server.build_link_path(purpose))
            assert response.status_code == 200
            assert "has no subscriptions" in response.text


def test_a_body_larger_than_any_form_is_refused(own_server: WebServer) -> None:
    for purpose in (UNSUBSCRIBE, PREFERENCES):
        response = own_server.client.post(
            own_server.build_link_path(purpose), content=b"a" * (MAX_FORM_BYTES + 1)
        )
        assert response.status_code == 413
    assert list_states(own_server.root) == ["active"]


def test_answers_are_kept_by_nobody_and_the_link_goes_nowhere_else(server: WebServer) -> None:
    headers = server.client.get(server.build_link_path(UNSUBSCRIBE)).headers
    assert (headers["Cache-Control"], headers["Referrer-Policy"]) == ("no-store", "no-referrer")
    assert headers["X-Robots-Tag"] == "noindex"


def test_who_leaves_after_the_freeze_gets_nothing_any_more(own_publication: Path) -> None:
    """Two subscribers are frozen; the relay is down; one unsubscribes by the link; the relay is back."""
    ketapress(own_publication, "subscribers", "add", "bob@example.net")
    toml = own_publication / "ketapress.toml"
    text = toml.read_text()
    toml.write_text(text + '\n[relay]\nurl = "smtp://127.0.0.1:1"\n')
    assert ketapress(own_publication, "send", "--at", "2023-06-12T09:00").exit_code == 1
    with run_web_server(own_publication) as server:
        assert server.client.post(server.build_link_path(UNSUBSCRIBE), data=ONE_CLICK).status_code == 200
    with ScriptedRelay() as relay:
        toml.write_text(f'{text}\n[relay]\nurl = "{relay.url}"\n')
        (report,) = ketapress(own_publication, "send", "--at", "2023-06-12T10:00", "--json").result[
            "editions"
        ]
        assert [received.recipient for received in relay.messages] == ["bob@example.net"]
    assert (report["sent"], report["suppressed"]) == (1, 1)


def test_the_links_in_a_letter_open_these_pages(own_publication: Path) -> None:
    """The addresses are taken from the message that the relay received."""
    toml = own_publication / "ketapress.toml"
    with ScriptedRelay() as relay:
        toml.write_text(f'{toml.read_text()}\n[relay]\nurl = "{relay.url}"\n')
        ketapress(own_publication, "send", "--at", "2023-06-12T09:00")
        (received,) = relay.messages
    header = received.message.partition(b"\r\n\r\n")[0].decode().replace("\r\n ", " ")
    link = next(line for line in header.split("\r\n") if line.startswith("List-Unsubscribe:"))
    assert "List-Unsubscribe-Post: List-Unsubscribe=One-Click" in header
    path = link.partition("<https://example.org")[2].partition(">")[0]
    with run_web_server(own_publication) as server:
        assert "Unsubscribe?" in server.client.get(path).text
        assert server.client.get("/archive/weekly/2023-06-12T0800.html").status_code == 200
        assert server.client.post(path, data=ONE_CLICK).status_code == 200
    assert list_states(own_publication) == ["left"]


@pytest.fixture
def two_newsletter_server(own_publication: Path) -> Iterator[WebServer]:
    """A server where Ann has two subscriptions and Bob one."""
    toml = own_publication / "ketapress.toml"
    toml.write_text(
        toml.read_text()
        + '\n[newsletters.daily]\ntitle = "The Daily & More"\nschedule = "0 8 * * *"\nstarts = 2030-01-01\nfrom = "d@example.org"\n'
    )
    ketapress(own_publication, "subscribers", "add", "ann@example.net", "--newsletter", "daily")
    ketapress(own_publication, "subscribers", "add", "bob@example.net", "--newsletter", "daily")
    with run_web_server(own_publication) as server:
        yield server


def test_preferences_show_every_newsletter_of_the_reader_and_leave_one_or_all(
    two_newsletter_server: WebServer,
) -> None:
    server, path = two_newsletter_server, two_newsletter_server.build_link_path(PREFERENCES)
    response = server.client.get(path)
    assert "The Daily &amp; More" in response.text
    assert "The Example Weekly" in response.text
    assert "Unsubscribe from all" in response.text
    assert list_states(server.root) == ["active", "active", "active"]
    assert "Not subscribed" in server.client.post(path, data={"leave": "1"}).text
    assert list_states(server.root) == ["left", "active", "active"]
    assert "has no subscriptions" in server.client.post(path, data={"leave": "all"}).text
    assert list_states(server.root) == ["left", "left", "active"]


@pytest.mark.parametrize("leave", ["3", "", "0", "-1", "1 OR 1=1", "٣", "9" * 400])
def test_preferences_leave_nothing_that_is_not_the_readers(
    two_newsletter_server: WebServer, leave: str
) -> None:
    assert (
        two_newsletter_server.client.post(
            two_newsletter_server.build_link_path(PREFERENCES), data={"leave": leave}
        ).status_code
        == 200
    )
    assert list_states(two_newsletter_server.root) == ["active", "active", "active"]


@pytest.mark.parametrize(
    ("tag", "text", "attributes"),
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
    own_publication: Path, tag: str, text: str, attributes: str
) -> None:
    toml = own_publication / "ketapress.toml"
    toml.write_text(toml.read_text().replace("[site]", f'[site]\nlanguage = "{tag}"'))
    with run_web_server(own_publication) as server:
        page = server.client.get(server.build_link_path(UNSUBSCRIBE)).text
    assert text in page
    assert attributes in page


def test_a_publication_may_have_pages_of_its_own(own_publication: Path) -> None:
    (own_publication / "templates" / "web").mkdir(parents=True)
    (own_publication / "templates" / "web" / "leave.html").write_text("<p>Really, {{ site.title }}?</p>")
    with run_web_server(own_publication) as server:
        assert (
            server.client.get(server.build_link_path(UNSUBSCRIBE)).text == "<p>Really, The Example Press?</p>"
        )


def test_a_database_that_cannot_be_read_is_said_kindly_and_nobody_is_told_that_it_is_done(
    own_server: WebServer,
) -> None:
    own_server.state.store.close()
    for file in own_server.root.glob("ketapress.db*"):
        file.unlink()
    (own_server.root / "ketapress.db").mkdir()
    response = own_server.client.post(own_server.build_link_path(UNSUBSCRIBE), data=ONE_CLICK)
    assert (response.status_code, response.headers["Retry-After"]) == (503, "60")
    assert "Please try again" in response.text
    log_text = own_server.log_output.getvalue()
    assert '"web.fault"' in log_text
    assert own_server.build_link_path(UNSUBSCRIBE).rpartition("/")[2] not in log_text

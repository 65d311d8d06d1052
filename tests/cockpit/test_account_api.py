"""Log-in over HTTP on a site that is not simulated: who gets in, who reads, who writes, and how it ends."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from cockpit.accounts.picture import LONGEST_MS
from cockpit.accounts.tables import login_session
from ingest.alarms.database import AlarmDatabase
from ingest.places import Places
from tests.cockpit.town import PASSWORD, Town
from tests.sites import small_site_text

PAGE = {"Accept": "text/html,*/*"}
WRITES = {"post", "put", "patch", "delete"}


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """Give a town of real figures: users and screens are added, nothing is open."""
    with Town(tmp_path_factory.mktemp("real"), small_site_text(), simulated=False) as town:
        yield town


def command(town: Town, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a command of which nobody expects that it succeeds."""
    line = [sys.executable, "-m", "cockpit.cli", *arguments, "--site", str(town.site)]
    line += ["--data", str(town.folder / "var")]
    given = {key: value for key, value in os.environ.items() if key != "CITYDECK_USER_PASSWORD"}
    return subprocess.run(
        line, capture_output=True, text=True, env={**given, **environment}, stdin=subprocess.DEVNULL, check=False
    )


def acts(town: Town, **wanted: str) -> list[dict[str, Any]]:
    with town.client("leader") as leader:
        found: list[dict[str, Any]] = leader.get("/api/v1/audit", params=wanted).json()["items"]
        return found


def socket(town: Town, **headers: str) -> ClientConnection:
    address = f"{town.address.replace('http', 'ws')}/ws/live"
    return connect(address, additional_headers=headers, max_size=None)


def closed_with(connection: ClientConnection) -> int:
    """Read until the server closes, and return why."""
    with connection:
        try:
            while True:
                connection.recv(timeout=15)
        except ConnectionClosed as closed:
            assert closed.rcvd is not None
            return closed.rcvd.code


def cookie_of(client: httpx.Client) -> dict[str, str]:
    return {"Cookie": "; ".join(f"{name}={value}" for name, value in client.cookies.items())}


def test_nothing_is_open(real: Town) -> None:
    """A stranger reads no answer of the API, no page, no stream; only that the cockpit is there, and how to log in."""
    paths = json.loads(httpx.get(f"{real.address}/openapi.json", headers=real.bearer).text)["paths"]
    asked = [path.replace("{", "").replace("}", "") for path, verbs in paths.items() if "get" in verbs]
    assert len(asked) > 30
    with httpx.Client(base_url=real.address) as stranger:
        answers = {path: stranger.get(path).status_code for path in [*asked, "/openapi.json", "/docs", "/_dash-layout"]}
        opened = {path for path, status in answers.items() if status != 401}
        assert opened == {"/healthz", "/api/v1/session"}
        assert stranger.get("/api/v1/session").json() == {"user": None, "open": False}
        assert stranger.post("/_dash-update-component", json={}).status_code == 401
        for path in ("/", "/wall", "/duty?lang=en", "/device/gas-1", "/docs"):
            page = stranger.get(path, headers=PAGE)
            assert (page.status_code, page.headers["location"].partition("?")[0]) == (303, "/login")
        page = stranger.get("/duty?lang=en", headers=PAGE, follow_redirects=True)
        assert page.status_code == 200 and page.url.params["next"] == "/duty?lang=en"
        assert "Test District" in page.text and "gas-1" not in page.text
    assert closed_with(socket(real)) == 4401


@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_page_to_log_in_quotes_nothing(real: Town, language: str) -> None:
    """What stands in the address cannot become part of the page."""
    evil = '"><script>alert(1)</script>'
    page = httpx.get(f"{real.address}/login", params={"lang": language, "why": evil, "next": evil})
    assert page.status_code == 200 and "<script>alert" not in page.text
    assert f'lang="{"zh-CN" if language == "zh" else "en"}"' in page.text


def test_the_demo_users_are_no_users_here(tmp_path_factory: pytest.TempPathFactory) -> None:
    """A real site without users lets nobody in, whatever the demo's password is."""
    town = Town(tmp_path_factory.mktemp("empty"), small_site_text(), simulated=False)
    town.bearer = {"none": "added"}
    with town:
        answer = httpx.post(f"{town.address}/api/v1/login", json={"user": "officer", "password": PASSWORD})
        assert answer.status_code == 401
        town.eventually(lambda: "citydeck user" in town.log.read_text())
        assert PASSWORD not in town.log.read_text()
        assert "citydeck user add" in command(town, "user", "list").stdout


def test_whoever_is_logged_in_reads(real: Town) -> None:
    with real.client("viewer") as viewer:
        assert viewer.get("/api/v1/summary").status_code == 200
        assert viewer.get("/duty", headers=PAGE).status_code == 200
        with socket(real, **cookie_of(viewer)) as stream:
            assert json.loads(stream.recv(timeout=15))["type"] == "snapshot"


def test_log_in_again_ends_the_session_before(real: Town) -> None:
    with real.client("viewer") as client:
        before = dict(client.cookies)
        client.post("/api/v1/login", json={"user": "officer", "password": PASSWORD})
        assert client.get("/api/v1/session").json()["roles"] == ["officer"]
    assert httpx.get(f"{real.address}/api/v1/session", cookies=before).json()["user"] is None


def test_guesses_sent_at_once_count_like_guesses_one_by_one(real: Town) -> None:
    """Twenty at the same moment: few are looked at, the user's colleagues come in meanwhile."""

    def guess(number: int) -> int:
        body = {"user": "engineer", "password": f"guess {number}"}
        return httpx.post(f"{real.address}/api/v1/login", json=body, timeout=30).status_code

    with ThreadPoolExecutor(20) as pool:
        codes = list(pool.map(guess, range(20)))
    assert set(codes) == {401, 429} and codes.count(401) <= 6
    with real.client("officer") as officer:
        assert officer.get("/api/v1/session").json()["user"] == "officer"


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"user": "officer"}, 422),
        ({"user": "o" * 65, "password": "x"}, 422),
        ({"user": "officer", "password": "x" * 257}, 422),
        ({"user": "nobody-1", "password": ""}, 401),
        ({"user": "nobody-2", "password": "x\u0000"}, 401),
        ({"user": "nobody\u0000", "password": "x"}, 422),
    ],
)
def test_log_ins_that_cannot_be_right(real: Town, body: dict[str, str], status: int) -> None:
    answer = httpx.post(f"{real.address}/api/v1/login", json=body)
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")
    assert not answer.cookies


def test_a_form_of_another_site_is_no_write(real: Town) -> None:
    """Neither origin nor type of a foreign form passes, with the session's cookie or not."""
    with real.client("officer") as officer:
        for headers in (
            {"Origin": "http://evil.example"},
            {"Origin": "null"},
            {"Sec-Fetch-Site": "cross-site"},
            {"Sec-Fetch-Site": "same-site"},
        ):
            for path in ("/api/v1/logout", "/api/v1/cases", "/_dash-update-component"):
                answer = officer.post(path, json={}, headers=headers)
                assert (answer.status_code, "another site" in answer.json()["detail"]) == (403, True)
        case = {"sub_class": "other", "street": "s01", "idempotency_key": "form"}
        plain = officer.post("/api/v1/cases", content=json.dumps(case), headers={"Content-Type": "text/plain"})
        assert plain.status_code == 422
        own = {"Origin": real.address, "Sec-Fetch-Site": "same-origin"}
        assert officer.post("/api/v1/cases", json=case, headers=own).status_code == 201
        assert officer.get("/api/v1/session").json()["user"] == "officer"


def test_a_stranger_writes_nothing(real: Town) -> None:
    """Every write of the API answers 401 to nobody, before anything of the body is looked at."""
    for path, verb in writes(real):
        answer = httpx.request(verb, f"{real.address}{path}", content=b"{nonsense")
        assert (path, answer.status_code) == (path, 401)
        assert answer.headers["content-type"] == "application/problem+json"


def test_a_screen_writes_nothing(real: Town) -> None:
    """Every write of the API answers 403 to a screen, and each is on record with the address it came from."""
    tried = list(writes(real))
    for path, verb in tried:
        answer = httpx.request(verb, f"{real.address}{path}", json={}, headers=real.bearer)
        assert (path, answer.status_code) == (path, 403)
    found = acts(real, action="write_refused", limit=1_000)
    assert {(act["actor"], act["role"], act["address"]) for act in found} == {("screen:tests", "viewer", "127.0.0.1")}
    assert {act["point"] for act in found} == {f"{verb.upper()} {path}" for path, verb in tried}
    with real.client("leader") as leader:
        assert leader.get("/api/v1/audit/verify").json()["whole"]


def test_a_viewer_writes_nothing(real: Town) -> None:
    """A logged-in viewer is refused by the act itself, which says who may, and is on record."""
    with real.client("officer") as officer:
        body = {"sub_class": "noise", "street": "s01", "idempotency_key": "viewer"}
        case = officer.post("/api/v1/cases", json=body).json()["id"]
    with real.client("viewer") as viewer:
        for act, words in (("register", {}), ("void", {"reason": "x"}), ("comment", {"comment": "x"})):
            body = {"idempotency_key": f"viewer-{act}", **words}
            assert viewer.post(f"/api/v1/cases/{case}/{act}", json=body).status_code == 403
    found = acts(real, actor="viewer", case=case)
    assert {act["action"] for act in found} == {"register_refused", "void_refused", "comment_refused"}


def writes(town: Town) -> Iterator[tuple[str, str]]:
    """Yield every write of the API but log-in and log-out."""
    paths = httpx.get(f"{town.address}/openapi.json", headers=town.bearer).json()["paths"]
    found = [(path, verb) for path, verbs in paths.items() for verb in verbs if verb in WRITES]
    assert len(found) > 20
    for path, verb in found:
        if path not in ("/api/v1/login", "/api/v1/logout"):
            yield path.replace("{", "").replace("}", ""), verb


def test_a_wall_trades_its_token_for_a_cookie(real: Town) -> None:
    """The token leaves the address; with the cookie the screen reads, and is nobody who could act."""
    token = real.citydeck("screen", "add", "hall").strip()
    with httpx.Client(base_url=real.address) as wall:
        answer = wall.get(f"/wall?lang=en&token={token}", headers=PAGE)
        assert (answer.status_code, answer.headers["location"]) == (303, "/wall?lang=en")
        assert (answer.headers["referrer-policy"], answer.headers["cache-control"]) == ("no-referrer", "no-store")
        cookie = answer.headers["set-cookie"].lower()
        assert "httponly" in cookie and "samesite=lax" in cookie
        assert wall.get("/wall?lang=en", headers=PAGE).status_code == 200
        assert wall.get("/api/v1/session").json() == {"user": None, "open": False, "screen": "hall"}
        assert wall.get("/api/v1/audit").status_code == 403
        stream = socket(real, **cookie_of(wall))
        assert json.loads(stream.recv(timeout=15))["type"] == "snapshot"
        begun = time.monotonic()
        real.citydeck("screen", "revoke", "hall")
        assert closed_with(stream) == 4401
        assert time.monotonic() - begun < 60
        real.eventually(lambda: wall.get("/api/v1/summary").status_code == 401)
        again = wall.get(f"/wall?token={token}", headers=PAGE)
        assert again.headers["location"].startswith("/login?why=screen")
        assert not wall.cookies
    listed = real.citydeck("screen", "list")
    assert "revoked" in next(line for line in listed.splitlines() if line.startswith("hall"))
    assert token not in listed


@pytest.mark.parametrize("token", ["", "guess", "screen-" + "x" * 43, "%00", "令牌"])
def test_a_wrong_token_is_no_screen(real: Town, token: str) -> None:
    for headers in ({}, {"Authorization": b"Bearer " + f"screen-{token}".encode()}):
        answer = httpx.get(f"{real.address}/wall", params={"token": token}, headers={**PAGE, **headers})
        assert answer.headers["location"].startswith("/login?why=screen")
    assert httpx.get(f"{real.address}/api/v1/summary", params={"token": token}).status_code == 401


def test_disabling_a_user_ends_everything(real: Town) -> None:
    """Within seconds: the open stream, the session, the next log-in; enabled again, the old session stays over."""
    real.citydeck("user", "add", "zhao", "--role", "officer")
    with real.client("zhao") as zhao:
        stream = socket(real, **cookie_of(zhao))
        assert json.loads(stream.recv(timeout=15))["type"] == "snapshot"
        assert "disabled" in real.citydeck("user", "disable", "zhao")
        assert closed_with(stream) == 4401
        real.eventually(lambda: zhao.get("/api/v1/summary").status_code == 401)
        body = {"user": "zhao", "password": PASSWORD}
        assert zhao.post("/api/v1/login", json=body).status_code == 401
        assert "disabled since" in real.citydeck("user", "list")
        real.citydeck("user", "enable", "zhao")
        real.citydeck("user", "roles", "zhao", "--role", "leader", "--role", "auditor")
        assert zhao.get("/api/v1/summary").status_code == 401
        assert zhao.post("/api/v1/login", json=body).status_code == 204
        assert zhao.get("/api/v1/session").json()["roles"] == ["leader", "auditor"]
        real.citydeck("user", "password", "zhao", password="another long word")
        real.eventually(lambda: zhao.get("/api/v1/summary").status_code == 401)
        assert zhao.post("/api/v1/login", json=body).status_code == 401
        assert zhao.post("/api/v1/login", json={**body, "password": "another long word"}).status_code == 204
    done = [act["action"] for act in reversed(acts(real, point="user:zhao"))]
    assert done == ["user_add", "user_disable", "user_enable", "user_roles", "user_password"]


def test_log_out_ends_the_stream(real: Town) -> None:
    with real.client("viewer") as viewer:
        stream = socket(real, **cookie_of(viewer))
        assert json.loads(stream.recv(timeout=15))["type"] == "snapshot"
        assert viewer.post("/api/v1/logout").status_code == 204
        assert closed_with(stream) == 4401


def test_an_old_session_ends_the_stream(real: Town) -> None:
    """The twelve hours are over while the page is open; here the session is made older instead of waiting."""
    real.citydeck("user", "add", "sun", "--role", "viewer")
    with real.client("sun") as sun:
        stream = socket(real, **cookie_of(sun))
        assert json.loads(stream.recv(timeout=15))["type"] == "snapshot"
        database = AlarmDatabase(f"sqlite:///{Places(real.folder / 'var').alarms}")
        with database.write() as connection:
            old = login_session.update().where(login_session.c.account == "sun")
            connection.execute(old.values(begun_at=login_session.c.begun_at - LONGEST_MS))
        database.close()
        assert closed_with(stream) == 4401


def test_sessions_survive_a_restart(real: Town) -> None:
    """Of people and of screens."""
    token = real.citydeck("screen", "add", "lobby").strip()
    with real.client("officer") as officer:
        kept = dict(officer.cookies)
    assert real.stop() == 0
    real.start()
    assert httpx.get(f"{real.address}/api/v1/session", cookies=kept).json()["user"] == "officer"
    screen = httpx.get(f"{real.address}/api/v1/session", headers={"Authorization": f"Bearer {token}"})
    assert screen.json()["screen"] == "lobby"


def test_a_demo_is_open_and_still_has_sessions(town: Town) -> None:
    """On a simulated site strangers read; a stream that was opened by somebody ends with them."""
    assert town.get("/api/v1/session") == {"user": None, "open": True}
    assert httpx.get(f"{town.address}/wall", headers=PAGE).status_code == 200
    with town.client("viewer") as viewer:
        stream = socket(town, **cookie_of(viewer))
        viewer.post("/api/v1/logout")
        assert closed_with(stream) == 4401
    with socket(town, **cookie_of(viewer)) as again:
        assert json.loads(again.recv(timeout=15))["type"] == "snapshot"


@pytest.mark.parametrize("path", ["/", "/docs", "/login", "/api/v1/site", "/nowhere", "/static/main.mjs"])
def test_headers_of_every_answer(town: Town, path: str) -> None:
    headers = httpx.get(f"{town.address}{path}", headers=PAGE).headers
    policy = dict(rule.split(" ", 1) for rule in headers["content-security-policy"].split("; "))
    assert policy["default-src"] == policy["base-uri"] == "'none'"
    assert "unsafe" not in policy["script-src"] and "http" not in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["x-frame-options"] == "SAMEORIGIN"
    assert headers["cross-origin-opener-policy"] == headers["cross-origin-resource-policy"] == "same-origin"
    assert "strict-transport-security" not in headers


def test_behind_tls_the_cookies_are_secure(town: Town) -> None:
    """As a proxy on this machine says that it speaks TLS."""
    forwarded = {"X-Forwarded-Proto": "https", "X-Forwarded-For": "203.0.113.9"}
    body = {"user": "officer", "password": PASSWORD}
    answer = httpx.post(f"{town.address}/api/v1/login", json=body, headers=forwarded)
    assert "secure" in answer.headers["set-cookie"].lower()
    assert answer.headers["strict-transport-security"].startswith("max-age=")
    newest = acts(town, action="log_in", actor="officer", limit=1)[0]
    assert newest["address"] == "203.0.113.9"


@pytest.mark.parametrize(
    ("arguments", "environment", "sentence"),
    [
        (("user", "add", "qian", "--role", "officer"), {}, "CITYDECK_USER_PASSWORD"),
        (("user", "add", "qian", "--role", "officer"), {"CITYDECK_USER_PASSWORD": "short"}, "10 to 256"),
        (("user", "add", "qian", "--role", "mayor"), {}, "mayor"),
        (("user", "add", "qian"), {}, "--role"),
        (("user", "add", "officer", "--role", "officer"), {"CITYDECK_USER_PASSWORD": PASSWORD}, "already"),
        (("user", "disable", "qian"), {}, "no user 'qian'"),
        (("user", "password", "qian"), {"CITYDECK_USER_PASSWORD": "a long new word"}, "no user 'qian'"),
        (("screen", "revoke", "cellar"), {}, "no screen 'cellar'"),
        (("screen", "add", "a b"), {}, "no name of a screen"),
    ],
)
def test_commands_that_are_refused(
    real: Town, arguments: tuple[str, ...], environment: dict[str, str], sentence: str
) -> None:
    """Each with one sentence, and nothing is changed."""
    done = command(real, *arguments, **environment)
    assert done.returncode != 0 and sentence in done.stderr and "Traceback" not in done.stderr
    assert "qian" not in real.citydeck("user", "list")


def test_passwords_are_typed_unseen(real: Town) -> None:
    """At a terminal the password is asked for twice and not shown."""
    line = [sys.executable, "-m", "cockpit.cli", "user", "add", "zhou", "--role", "viewer"]
    line += ["--site", str(real.site), "--data", str(real.folder / "var")]
    given = {key: value for key, value in os.environ.items() if key != "CITYDECK_USER_PASSWORD"}
    told, ours = os.openpty()
    running = subprocess.Popen(line, stdin=ours, stdout=ours, stderr=ours, env=given, start_new_session=True)
    os.close(ours)
    shown = b""
    for asked in (b"password", b"again"):
        while asked not in shown:
            shown += os.read(told, 4096)
        os.write(told, b"a long typed word\n")
    while b"added" not in shown:
        shown += os.read(told, 4096)
    assert running.wait(30) == 0
    os.close(told)
    assert b"typed" not in shown
    answer = httpx.post(f"{real.address}/api/v1/login", json={"user": "zhou", "password": "a long typed word"})
    assert answer.status_code == 204

"""Who may talk to the studio: every rule, and that a refusal says what would allow it."""

from pathlib import Path

import pytest
from starlette.types import ASGIApp

from inkgan.config.recipes import RECIPES
from inkgan.config.serialize import override, to_toml
from inkgan.studio.gate import BODY_LIMIT, UPLOAD_LIMIT
from tests.studio.asgi import BY_COOKIE, BY_TOKEN, ORIGIN, TOKEN, call, studio


@pytest.fixture
def app(tmp_path: Path) -> ASGIApp:
    return studio(tmp_path / "runs")


def test_a_token_opens_the_studio_and_becomes_a_cookie_that_scripts_cannot_read(
    app: ASGIApp,
) -> None:
    first = call(app, f"/?token={TOKEN}&a=1", headers={})
    assert (first.status, first.headers["location"]) == (303, "/?a=1")
    cookie = first.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=strict" in cookie
    assert call(app, "/", headers=BY_COOKIE).status == 200
    assert call(app, "/api/runs", headers=BY_COOKIE).status == 200
    assert call(app, "/api/runs", headers=BY_TOKEN).status == 200


@pytest.mark.parametrize(
    ("path", "headers"),
    [
        ("/", {}),
        ("/static/style.css", {}),
        ("/api/events", {}),
        ("/?token=wrong", {}),
        ("/?token=", {}),
        (f"/api/runs?token={TOKEN}", {}),  # an address that is shared must not open the interface
        ("/api/runs", {"cookie": "inkgan-studio-8000=wrong"}),
        ("/api/runs", {"cookie": f"inkgan-studio-8001={TOKEN}"}),
        ("/api/runs", {"cookie": f"\x00=;;{TOKEN}"}),
        ("/api/runs", {"authorization": "token wrong"}),
        ("/api/runs", {"authorization": "token "}),
        ("/api/runs", {"authorization": "token \xe9"}),
    ],
)
def test_without_the_token_nothing_is_answered(
    app: ASGIApp, path: str, headers: dict[str, str]
) -> None:
    answer = call(app, path, headers=headers)
    assert answer.status == 401
    assert "address with the token" in answer.text
    assert "set-cookie" not in answer.headers


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:8000", "127.0.0.1.evil.example", "", "[::1", "10.0.0.7"]
)
def test_names_that_are_not_the_studios_are_refused(app: ASGIApp, host: str) -> None:
    answer = call(app, "/api/runs", host=host)
    assert answer.status == 403
    assert "`allow_host=" in answer.text


@pytest.mark.parametrize("host", ["localhost:8000", "127.0.0.1", "[::1]:8000", "LOCALHOST"])
def test_local_names_are_allowed(app: ASGIApp, host: str) -> None:
    assert call(app, "/api/runs", host=host).status == 200


def test_hosts_can_be_allowed_and_the_refusal_says_how(tmp_path: Path) -> None:
    spelled = studio(
        tmp_path, allow_host=("lab.example",), spell=lambda text: text.replace("`", "'")
    )
    assert call(spelled, "/api/runs", host="lab.example:80").status == 200
    assert "'allow_host=other'" in call(spelled, "/api/runs", host="other").text
    wide = studio(tmp_path, host="0.0.0.0")
    assert call(wide, "/api/runs", host="192.168.0.4:8000").status == 200
    assert call(wide, "/api/runs", host="rebound.example").status == 403
    assert call(wide, "/api/runs", host="192.168.0.4:8000", headers={}).status == 401


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "http://127.0.0.1:9999"])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_pages_of_other_origins_are_refused(app: ASGIApp, origin: str, method: str) -> None:
    answer = call(app, "/api/runs", method, headers={**BY_COOKIE, "origin": origin})
    assert answer.status == 403
    assert "access-control-allow-origin" not in answer.headers
    wanted = {"origin": origin, "access-control-request-method": "POST"}
    assert call(app, "/api/runs", "OPTIONS", headers={**BY_COOKIE, **wanted}).status == 403


def test_a_change_by_cookie_needs_the_studios_own_origin(app: ASGIApp) -> None:
    body = {"recipe": "dcgan", "name": "a"}
    path = "/api/recipes/check"
    assert call(app, path, "POST", body, BY_COOKIE).status == 403
    foreign = {**BY_COOKIE, "origin": ORIGIN, "sec-fetch-site": "cross-site"}
    assert call(app, path, "POST", body, foreign).status == 403
    assert call(app, path, "POST", body, {**BY_COOKIE, "origin": ORIGIN}).status == 200
    assert call(app, path, "POST", body, BY_TOKEN).status == 200


@pytest.mark.parametrize("path", ["/", "/static/main.js", "/api/runs", "/nothing"])
def test_every_answer_has_the_security_headers(app: ASGIApp, path: str) -> None:
    for headers in (BY_TOKEN, {}):
        found = call(app, path, headers=headers).headers
        policy = found["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert found["x-content-type-options"] == "nosniff"
        assert found["referrer-policy"] == "no-referrer"
        assert "server" not in found


def test_pages_have_no_inline_code(app: ASGIApp) -> None:
    page = call(app, "/").text
    assert page.count("<script") == 1
    assert "<style" not in page
    assert "style=" not in page
    assert " on" not in page.replace(" on ", "")  # no listeners as attributes


def test_large_bodies_are_refused_before_and_while_they_are_read(app: ASGIApp) -> None:
    gigabyte = {**BY_TOKEN, "content-length": str(1 << 30)}
    for path in ("/api/runs", "/api/uploads/a"):
        answer = call(app, path, "POST", b"", gigabyte)
        assert answer.status == 413
        assert "MB" in answer.text
    lying = {**BY_TOKEN, "content-length": "10"}
    assert call(app, "/api/runs", "POST", b" " * (BODY_LIMIT + 1), lying).status == 413
    assert UPLOAD_LIMIT < 1 << 30
    odd = {**BY_TOKEN, "content-length": "-1"}
    assert call(app, "/api/runs", "POST", b"", odd).status == 413


@pytest.mark.parametrize(
    "name", ["..", "../outside", "%2e%2e", "..%2foutside", "a/../../outside", ".hidden", "link", ""]
)
def test_names_of_runs_stay_in_their_folder(tmp_path: Path, name: str) -> None:
    runs, outside = tmp_path / "runs", tmp_path / "outside"
    for folder in (outside, runs / ".hidden"):
        folder.mkdir(parents=True)
        (folder / "recipe.toml").write_text(to_toml(RECIPES["dcgan"]), encoding="utf-8")
    (runs / "link").symlink_to(outside)
    app = studio(runs)
    for path in (f"/api/runs/{name}/files/recipe.toml", f"/api/runs/{name}/rows"):
        assert call(app, path).status in (404, 405)
    assert call(app, f"/api/events?run={name}").status == 404
    assert call(app, "/api/runs").json()["runs"] == []


@pytest.mark.parametrize("path", ["../app.py", "%2e%2e/app.py", "../../errors.py", "screens", ""])
def test_static_files_stay_in_their_folder(app: ASGIApp, path: str) -> None:
    assert call(app, f"/static/{path}").status == 404


@pytest.mark.parametrize("name", ["../a", "", ".a", "a b", "a/b", "ä", "a" * 65, "a\n", "CON."])
def test_new_runs_have_plain_names(tmp_path: Path, name: str) -> None:
    answer = call(studio(tmp_path / "runs"), "/api/runs", "POST", {"name": name})
    assert answer.status == 400
    assert "`name`" in answer.json()["error"]
    assert not (tmp_path / "runs").exists()


def test_hostile_recipe_names_are_data(tmp_path: Path) -> None:
    run = tmp_path / "runs" / "a"
    run.mkdir(parents=True)
    evil = "<img src=x onerror=alert(1)>"
    recipe = override(RECIPES["dcgan"], {"name": evil, "notes": f"{evil}</script>"})
    (run / "recipe.toml").write_text(to_toml(recipe), encoding="utf-8")
    answer = call(studio(tmp_path / "runs"), "/api/runs/a")
    assert answer.headers["content-type"] == "application/json"
    assert answer.json()["recipe"] == evil

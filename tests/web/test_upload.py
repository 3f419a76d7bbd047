"""A table uploaded over HTTP: by a browser, by the classic client, by a program."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path
from typing import Any

import httpx2
import pytest
from starlette.testclient import TestClient

from location_policy.edits.upload_edit import UPLOAD_LIMIT
from location_policy.rollout.state import ActiveState
from location_policy.runtime import turns
from location_policy.web.app import make_app
from location_policy.web.edge.faults import Fault
from location_policy.web.edge.guard import Access
from location_policy.web.forms.fields import LARGEST
from location_policy.web.forms.multipart import FIELD_BYTES, PARTS, UploadedFile, clean_name, parse_multipart
from tests.support.app import client_of, client_of_repository, served
from tests.support.repositories import Files, force_commit, git, make_repository, tip

NONE_CHOSEN = b'--x\r\nContent-Disposition: form-data; name="file"; filename=""\r\n\r\n\r\n--x--\r\n'
"""What a browser sends."""
BROWSER = {"accept": "text/html,*/*;q=0.8"}
FILES: Files = {"locations/apac.csv": "# Sydney\nSydney,10.61.2.0/24\n", "locations/emea.csv": "Oslo,10.70.0.0/16\n"}
ALL = "Sydney,,,10.61.2.0/24\nOslo,,,10.70.0.0/16\n"
MORE = ALL + "Lima,,,10.90.0.0/16\n"


@pytest.fixture
def place(tmp_path: Path) -> Path:
    return make_repository(tmp_path / "locations.git", FILES)


@pytest.fixture
def client(place: Path) -> TestClient:
    return client_of_repository(place)


def send(
    client: TestClient, rows: str | bytes, target: str = "/upload", name: str = "sites.csv", **fields: str
) -> httpx2.Response:
    """A file as the classic client sends it."""
    return client.post(target, data=fields, files={"file": (name, rows)})


def page(response: httpx2.Response, status: int = 200) -> str:
    """Its text without marks, white space in one piece."""
    assert response.status_code == status, response.text
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", "", response.text))


def browse(client: TestClient, rows: str | bytes, name: str = "sites.csv", **fields: str) -> httpx2.Response:
    return client.post("/upload", data=fields, files={"file": (name, rows)}, headers=BROWSER)


def hidden(response: httpx2.Response) -> dict[str, str]:
    """What the form by which it is confirmed carries on."""
    form = response.text.rpartition("<form")[2]
    return dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', form))


def test_the_form_offers_the_whole_map_and_each_file(client: TestClient) -> None:
    text = client.get("/upload", headers=BROWSER).text
    assert 'enctype="multipart/form-data"' in text
    assert re.findall(r"<option[^>]*>([^<]*)", text) == [
        "the whole map (2 rows)",
        "only locations/apac.csv",
        "only locations/emea.csv",
    ]
    assert "selected>only locations/emea.csv" in client.get("/upload?path=locations/emea.csv", headers=BROWSER).text


def test_both_links_of_before_are_on_home(client: TestClient) -> None:
    navigation, _, main = client.get("/", headers=BROWSER).text.partition("<main")
    assert re.findall(r'<a class="button" href="([^"]*)"', main) == ["/upload"]
    assert '<a href="/locations.csv" download>Get Active CSV</a>' in navigation


def test_a_browser_sees_the_plan_and_then_the_commit(place: Path, client: TestClient) -> None:
    seen = tip(place)
    shown = browse(client, MORE)
    text = page(shown)
    assert "Uploaded: sites.csv. Choose another to replace it" in text
    assert "10.90.0.0/16" in text
    assert "Rows: 1 added, 0 changed, 0 removed, 2 unchanged." in text
    assert tip(place) == seen
    done = client.post("/upload", data={**hidden(shown), "message": "Open Lima", "confirm": "1"}, headers=BROWSER)
    assert (done.status_code, done.headers["location"]) == (303, f"/commit/{tip(place)}")
    assert git("log", "-1", "--format=%P %s", cwd=place) == f"{seen} Open Lima"
    assert git("show", "main:locations.csv", cwd=place) == "Lima,10.90.0.0/16"


def test_the_plan_is_shown_again_for_another_target_without_choosing_the_file_again(client: TestClient) -> None:
    first = browse(client, MORE)
    fields = {**hidden(first), "path": "locations/emea.csv"}
    again = client.post("/upload", data=fields, files={"file": ("", b"")}, headers=BROWSER)
    assert "10.61.2.0/24 is in locations/apac.csv:2 already" in page(again, 422)


def test_problems_are_told_at_the_lines_of_the_file_and_the_form_is_still_there(client: TestClient) -> None:
    text = page(browse(client, "Sydney,10.61.2.1/24\n<b>,10.0.0.0/8\nOslo;1\n", "<i>.csv"), 422)
    assert "&lt;i&gt;.csv has 2 errors" in text
    assert "&lt;i&gt;.csv:1:8 error: 10.61.2.1/24 has host bits set [host-bits]" in text
    assert "hint: write 10.61.2.0/24" in text
    assert "Uploaded: &lt;i&gt;.csv. Choose another to replace it" in text
    assert "Preview again" in text


@pytest.mark.parametrize("unseen", ["\u200b", "\u200e", "\u00a0", "\ufeff"])
def test_what_cannot_be_seen_is_written_out_on_the_page_and_in_json(client: TestClient, unseen: str) -> None:
    rows = f"Sydney,10.61.2.0/24{unseen}\nMelbourne,{unseen}10.61.3.0/24\nPerth{unseen},10.61.4.0/24\n"
    shown = unseen.encode("unicode_escape").decode()
    text = page(browse(client, rows), 422)
    assert unseen not in text
    assert f"10.61.2.0/24{shown}&#34; is not a subnet: it has {shown}" in text or f"10.61.2.0/24{shown} is not" in text
    assert "hint: write 10.61.3.0/24, without what cannot be seen" in text
    told = send(client, rows).json()["problems"]
    assert [problem["line"] for problem in told] == [1, 2, 3]
    assert all(shown in problem["message"] and unseen not in problem["message"] for problem in told)


def test_of_many_problems_the_first_are_shown(client: TestClient) -> None:
    told = page(browse(client, "".join(f"oops{at}\n" for at in range(55))), 422)
    assert "55 × too-few-columns" in told
    assert "… and 35 more of these" in told


def test_a_warning_names_the_line_of_the_uploaded_file_and_says_its_row(client: TestClient) -> None:
    rows = "location;subnet\n\nSydney;10.61.2.0/24\nSydney;10.61.2.128/25\nOslo;10.70.0.0/16\n"
    shown = page(browse(client, rows, name="offices.csv")).partition("New warnings ")[2]
    assert shown.startswith("offices.csv:4 warning: "), shown
    assert "Sydney,10.61.2.128/25 in the map: locations.csv:1" in shown
    [found] = client.post("/api/v1/upload", json={"file": rows, "name": "offices.csv"}).json()["warnings"]
    assert (found["path"], found["line"], found["row"]) == ("locations.csv", 1, "Sydney,10.61.2.128/25")
    assert (found["code"], found["uploaded_line"], found["hint"]) == ("redundant-subnet", 4, "delete line 4")


def test_an_upload_that_changes_nothing_says_so(client: TestClient) -> None:
    download = client.get("/locations.csv").content
    told = "the map already has what sites.csv has"
    assert told in page(browse(client, download), 409)
    assert send(client, download).json()["detail"] == told


def test_the_classic_client_gets_the_preview_as_json_and_confirms(place: Path, client: TestClient) -> None:
    shown = send(client, MORE)
    assert (shown.status_code, shown.headers["content-type"]) == (200, "application/json")
    told: dict[str, Any] = shown.json()
    assert (told["commit"], told["may_land"], told["tip"]) == (None, True, tip(place))
    assert [change["kind"] for change in told["plan"]["changes"]] == ["added"]
    done = send(client, MORE, "/api/v1/upload", tip=told["tip"], confirm="1").json()
    assert done["commit"] == tip(place) != told["tip"]


def test_a_program_sends_the_rows_as_text(place: Path, client: TestClient) -> None:
    told = client.post("/api/v1/upload", json={"file": MORE, "path": "locations/apac.csv"})
    assert told.status_code == 422
    assert told.json()["problems"][0]["path"] == "locations.csv"
    fields = {"file": "Perth,10.61.2.0/24\n", "name": "x.csv", "path": "locations/apac.csv", "confirm": True}
    assert client.post("/api/v1/upload", json={**fields, "tip": tip(place)}).json()["commit"] == tip(place)
    assert git("show", "main:locations/apac.csv", cwd=place) == "# Sydney\nPerth,10.61.2.0/24"


def test_the_rest_of_a_large_change_is_counted_and_no_command_is_named_that_cannot_tell_it(place: Path) -> None:
    narrow = "".join(f"Oslo,10.0.{at}.0/24\n" for at in range(250))
    force_commit(place, {"locations.csv": narrow, "policy.toml": '[checks]\nredundant-subnet = "error"\n'})
    client = client_of_repository(place)
    plan = page(browse(client, "".join(f"L{at},10.{at >> 8}.{at & 255}.0/24\n" for at in range(600))))
    unread = page(browse(client, "".join(f"Oslo,10.0.0.{at}/24\n" for at in range(1, 71))), 422)
    wide = {"path": "", "subnet": "10.0.0.0/8", "location": "Oslo", "overflow": ""}
    wrong = page(client.post("/edit", data=wide), 422)
    assert "451–500 of 600" in plan
    assert "… and 100 more" in plan
    assert "… and 50 more of these" in unread
    assert "250 × redundant-subnet" in wrong
    assert "more: location-policy" not in plan + unread + wrong


def test_the_second_of_two_editors_is_told_and_nothing_is_lost(place: Path, client: TestClient) -> None:
    first, second = browse(client, MORE), browse(client, ALL.replace("Oslo", "Bergen"))
    confirmed = {"confirm": "1"}
    assert client.post("/upload", data={**hidden(first), **confirmed}, headers=BROWSER).status_code == 303
    theirs = tip(place)
    told = client.post("/upload", data={**hidden(second), **confirmed}, headers=BROWSER)
    text = page(told, 409)
    assert "main has moved since you saw it: 1 commit came meanwhile" in text
    assert "Upload sites.csv" in text
    assert "10.90.0.0/16" in text  # it would take Lima away
    assert tip(place) == theirs
    done = client.post("/upload", data={**hidden(told), **confirmed}, headers=BROWSER)
    assert done.status_code == 303
    assert git("rev-parse", "main~1", cwd=place) == theirs


def test_a_file_of_another_kind_and_an_empty_one_are_refused(client: TestClient) -> None:
    for content, sentence in (
        (b"PK\x03\x04", "sites.csv is a ZIP archive or an Excel workbook (.xlsx), not a CSV file"),
        (b"", "sites.csv is empty"),
    ):
        response = send(client, content)
        assert (response.status_code, response.json()["detail"]) == (422, sentence)
        assert response.json()["hint"]


@pytest.mark.parametrize(
    ("sent", "status", "sentence"),
    [
        ({"files": {"csv": ("a.csv", ALL)}}, 400, "the file is in the field csv, not in the field file"),
        ({"files": {"file": (None, "")}}, 400, "no file is given"),
        ({"content": NONE_CHOSEN, "headers": {"content-type": "multipart/form-data; boundary=x"}}, 400, "no file"),
        ({"files": [("file", ("a", ALL)), ("file", ("b", ALL))]}, 400, "there are 2 files, and one is taken at a time"),
        ({"data": {"file": "x"}, "files": {"x": (None, "")}}, 400, "the field file is a text, not a file"),
        ({"data": {"path": "locations/apac.csv"}}, 400, "no file is given"),
        ({"json": {"file": ["a", "b"]}}, 400, "there are 2 files, and one is taken at a time"),
        ({"json": {"blob": "0" * 40}}, 422, "the uploaded locations.csv is no longer there"),
        ({"json": {"blob": "HEAD"}}, 422, "the uploaded locations.csv is no longer there"),
        ({"content": b"a", "headers": {"content-type": "text/csv"}}, 415, "the Content-Type is neither multipart"),
        ({"content": b"a", "headers": {"content-type": "multipart/form-data"}}, 400, "the form cannot be read"),
        ({"files": {"file": ("a.csv", b"#" * UPLOAD_LIMIT + b"\n")}}, 413, "a.csv is too large: 16,777,216 bytes"),
        ({"files": {"file": ("a.csv", b"#" * (UPLOAD_LIMIT + 70_000))}}, 413, "the request is too large: 16,842,752"),
    ],
)
def test_what_cannot_be_taken_is_said_in_a_sentence(
    client: TestClient, sent: dict[str, Any], status: int, sentence: str
) -> None:
    response = client.post("/upload", **sent)
    assert response.status_code == status, response.text
    assert response.json()["detail"].startswith(sentence)
    assert status == 415 or response.json().get("hint")


def test_a_browser_that_sends_too_much_gets_the_form_again(client: TestClient) -> None:
    text = page(browse(client, b"#" * (UPLOAD_LIMIT + 70_000)), 413)
    assert "Too large: the request is too large: 16,842,752 bytes are taken" in text
    assert "hint: what is larger goes by git push" in text
    assert "Preview again" in text


def test_where_nothing_can_be_changed_the_page_says_why(place: Path, client: TestClient) -> None:
    git("config", "location-policy.requireSignatures", "tip", cwd=place)
    text = page(client.get("/upload", headers=BROWSER))
    assert "Changes are not possible on this page: commits must be signed here" in text
    assert "<input" not in client.get("/upload", headers=BROWSER).text
    assert send(client, MORE).status_code == 409
    viewer = client_of_repository(place, Access(anonymous=frozenset(("viewer",))))
    assert "that takes the role editor" in page(viewer.get("/upload", headers=BROWSER))
    nowhere = page(client_of(ActiveState()).get("/upload", headers=BROWSER))
    assert "Changes are not possible on this page" in nowhere


def test_the_first_page_offers_it_to_those_who_may(place: Path, client: TestClient) -> None:
    assert "Upload a CSV" in page(client.get("/", headers=BROWSER))
    viewer = client_of_repository(place, Access(anonymous=frozenset(("viewer",))))
    assert "Upload a CSV" not in page(viewer.get("/", headers=BROWSER))


def part(name: str, content: bytes = b"") -> bytes:
    return b"--x\r\nContent-Disposition: form-data; name=%b\r\n\r\n%b\r\n" % (name.encode(), content)


@pytest.mark.parametrize(
    ("body", "status", "message"),
    [
        (part("a"), 400, "the form has no end"),
        (b"", 400, "the form has no end"),
        (b"--y\r\n", 400, "the form cannot be read: Expected boundary character 120, got 121 at index 4"),
        (part("a") * (PARTS + 1) + b"--x--", 413, "the form has too many fields: 300 are taken"),
        (
            part("a", b"a" * (FIELD_BYTES // 2)) * 2 + part("b", b"b") + b"--x--",
            413,
            "the fields of the form are too large: 65,536 bytes are taken",
        ),
        (b"--x\r\n\r\n\r\n--x--", 400, 'the form cannot be read: Field name not found in Content-Disposition: "None"'),
    ],
)
def test_a_form_that_is_none_or_too_much_is_refused(body: bytes, status: int, message: str) -> None:
    with pytest.raises(Fault) as raised:
        parse_multipart("multipart/form-data; boundary=x", body)
    assert (raised.value.status, raised.value.message) == (status, message)


def test_what_is_read_of_a_form_is_told_by_nobody_but_the_answer(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(Fault):
        parse_multipart("multipart/form-data", b"")
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize(
    ("parameters", "name"),
    [
        ("filename*=UTF-8''Z%C3%BCrich.csv", "Zürich.csv"),
        ("filename=Zurich.csv; filename*=utf-8'de'Z%C3%BCrich.csv", "Zürich.csv"),
        ("FileName* = iso-8859-1''Z%FCrich.csv; x=y", "Zürich.csv"),
        ("filename*=UTF-8''maps%5Ca%22%3B%20b.csv", 'a"; b.csv'),
        ("filename*=UTF-8''%FF%0D%0A.csv", "\ufffd\ufffd\ufffd.csv"),
        (r"""filename="a\"; filename*=UTF-8''b.csv" """, "a\"; filename*=UTF-8''b.csv"),
        ("filename=a.csv; filename*=UTF-16''b.csv", "a.csv"),
        ("filename*=\"UTF-8''Z%C3%BCrich.csv\"", "Zürich.csv"),
        ("filename*=windows-1251''%CC%EE%F1%EA%E2%E0.csv", "Москва.csv"),
        ("filename*1*=rich.csv; filename*0*=UTF-8''Z%C3%BC", "Zürich.csv"),
        ("filename*=x-unknown''b.csv", ""),
        ("filename=a.csv; filename*=iso-8859-12''b.csv", "a.csv"),
        ("filename=a.csv; filename*=windows-1259''b.csv", "a.csv"),
    ],
)
def test_the_extended_name_of_a_file_is_read(parameters: str, name: str) -> None:
    header = f"Content-Disposition: form-data; name=file; {parameters}\r\n\r\n"
    form = parse_multipart("multipart/form-data; boundary=x", f"--x\r\n{header}rows\r\n--x--".encode())
    assert form.files == {"file": [UploadedFile(name, b"rows")]}


def test_the_name_of_a_file_is_its_last_part_and_can_be_shown() -> None:
    assert clean_name(r"C:\maps\sites.csv") == "sites.csv"
    assert clean_name("/etc/ \x1b[2Ja.csv ") == "\ufffd[2Ja.csv"
    assert len(clean_name("a" * 500)) == 100


@pytest.mark.parametrize("more", ["[],", "0,", '"",', "{},", '{"a":"b"},', '"\\u0041",'])
def test_json_of_many_small_values_is_refused_before_it_is_parsed(client: TestClient, more: str) -> None:
    content = '{"x": [' + more * (LARGEST // len(more)) + "0]}"
    answer = client.post("/api/v1/upload", content=content, headers={"content-type": "application/json"})
    assert answer.status_code == 400
    assert answer.json()["detail"] == "the body cannot be read: besides long texts it has more than 65,536 characters"


def test_a_long_text_in_json_is_what_it_says_between_others(client: TestClient) -> None:
    rows = 'Zürich "1",10.61.2.0/24\n\\' + "# \u20ac\n" * LARGEST
    shown = client.post("/api/v1/upload", json={"name": 'a"0".csv', "file": rows, "reason": "", "remove": 1})
    assert [problem["path"] for problem in shown.json()["problems"]][:1] == ['a"0".csv']
    assert shown.json()["problems"][0]["line"] == 2


@pytest.mark.parametrize("target", ["/upload", "/api/v1/upload"])
def test_few_files_are_uploaded_at_once_and_an_editor_has_half_of_the_places(
    place: Path, target: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(turns, "PATIENCE", 0.2)
    app = make_app(*served(place))
    headers = [(b"content-type", b"application/x-www-form-urlencoded"), (b"host", b"localhost")]

    async def send_slowly(more: asyncio.Event) -> int:
        """The status of what this upload gets, whose second half comes when it is told to."""
        scope: dict[str, Any] = {
            "type": "http",
            "http_version": "1.1",
            "method": "POST",
            "path": target,
            "query_string": b"",
        }
        scope |= {"headers": headers, "client": None, "server": ("localhost", 80), "scheme": "http", "root_path": ""}
        halves, statuses = [b"file=Lima,", b"10.90.0.0/16"], list[int]()

        async def receive() -> Any:  # noqa: ANN401  a message of ASGI
            if len(halves) == 1:
                await more.wait()
            return {"type": "http.request", "body": halves.pop(0), "more_body": bool(halves)}

        async def send(message: Any) -> None:  # noqa: ANN401  as above
            statuses.append(message.get("status", 0))

        await app(scope, receive, send)
        return statuses[0]

    async def send_all() -> list[int]:
        later, now = asyncio.Event(), asyncio.Event()
        now.set()
        slow = [asyncio.ensure_future(send_slowly(later)) for _ in range(2)]
        await asyncio.sleep(0)
        third = await send_slowly(now)
        later.set()
        return [third, *await asyncio.gather(*slow), await send_slowly(now)]

    assert asyncio.run(send_all()) == [503, 200, 200, 200]

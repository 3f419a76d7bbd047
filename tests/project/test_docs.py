"""What the documents say, held to what runs."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

import pytest

from location_policy.config.policy_toml import Rules, read_rules
from location_policy.problems import CODES
from tests.integrations.imports.netbox import running_netbox
from tests.support.access import PASSWORD, Pki
from tests.support.deployments import free_port
from tests.support.manager import participant, profile, running_manager
from tests.support.program import run_program
from tests.support.sessions import Step, Terminal, read_steps, without_varying

ROOT = Path(__file__).parent.parent.parent
DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
MANAGER = "https://manager.example.com"
"""In its place documents ask a Management Node of ours, with these locations, of which none has this profile."""
RECEIVER = "8090"
"""The port of a receiver of notifications, in whose place they take a free one."""
NETBOX = "https://netbox.example.com"
"""In its place they ask a NetBox of ours, of which a page has two prefixes."""
PREFIXES = (
    ("10.61.0.0/16", "container", None),
    ("10.61.2.0/24", "active", "Sydney"),
    ("10.65.0.0/20", "active", "Raffles Place"),
    ("10.66.0.0/16", "deprecated", "Sydney"),
    ("10.67.0.0/16", "active", "Sydney"),
)
SITES = ("Sydney", "Melbourne", "Singapore", "Tokyo")
PROFILE = profile(1, "subnets", "https://policy.example.com/policy/v1")
WITH_LINKS = [*DOCUMENTS, ROOT / "CHANGELOG.md", ROOT / "config-repo" / "README.md"]
LINK = re.compile(r"(?<!`)\]\(([^)\s]+)\)")
WITH_SESSIONS = [path for path in DOCUMENTS if read_steps(path.read_text())]


def finished_calls(log: Path) -> list[dict[str, object]]:
    """What the Management Node says of calls that came in at Tokyo; the log has the subnets of those by Skype."""
    groups: list[tuple[int, str, int, dict[str, object]]] = [
        (97, "10.61.2.7", 1, {}),
        (12, "10.61.2.7", 2, {}),
        (3, "10.61.3.7", 4, {}),
        (9, "192.0.2.7", 4, {}),
        (2, "172.23.0.4", 1, {"protocol": "MSSIP"}),
        (5, "10.61.2.7", 4, {"protocol": "API", "has_media": False}),
    ]
    kinds = [(address, media, more) for calls, address, media, more in groups for _ in range(calls)]
    calls = [participant(number, address, 4, media, **more) for number, (address, media, more) in enumerate(kinds)]
    by_skype = [one for one in calls if one["protocol"] == "MSSIP"]
    asked = [{"time": f"{one['start_time']}Z", "node_ip": one["signalling_node"]} for one in by_skype]
    lines = [json.dumps({**one, "protocol": "mssip", "address": "10.61.2.0"}) for one in asked]
    log.write_text("".join(f"{line}\n" for line in lines))
    return calls


@pytest.mark.parametrize("path", WITH_SESSIONS, ids=lambda path: path.name)
def test_every_session_goes_as_shown(path: Path, tmp_path: Path) -> None:
    for program in ("curl", "ssh-keygen"):
        if f"{program} " in path.read_text() and shutil.which(program) is None:  # pragma: no cover  as the machine is
            pytest.skip(f"{program}, which the document uses, is not installed")
    with ExitStack() as stack:
        real = {}
        if MANAGER in path.read_text():
            pki = Pki(tmp_path)
            manager = stack.enter_context(running_manager(pki, *SITES, profiles=[PROFILE]))
            manager.lists["participant"] = finished_calls(tmp_path / "decisions.log")
            real[MANAGER] = manager.url
            (tmp_path / "password").write_text(f"{PASSWORD}\n")
        if NETBOX in path.read_text():
            real[NETBOX] = stack.enter_context(running_netbox(PREFIXES))
        if RECEIVER in path.read_text():
            real[RECEIVER] = str(free_port())
        terminal = stack.enter_context(Terminal(tmp_path, real))
        for step in read_steps(path.read_text()):
            seen = terminal.follow(step)
            assert without_varying(seen.output) == without_varying(step.output), step.command


def test_a_session_is_read_with_its_continued_lines_and_outputs() -> None:
    document = "```console\n$ cat <<'END'\n> a\n>\n> END\na\n\n$ true\n```\n"
    assert read_steps(document) == [Step("cat <<'END'\na\n\nEND", "a"), Step("true", "")]


def test_a_session_that_goes_otherwise_is_seen(tmp_path: Path) -> None:
    with Terminal(tmp_path) as terminal:
        assert terminal.follow(Step("echo no; exit 3", "yes")).output == "no\n[3]"
        assert terminal.follow(Step("false", "")).output == "[1]"


def test_an_id_that_was_shown_is_typed_as_it_is_this_time(tmp_path: Path) -> None:
    with Terminal(tmp_path) as terminal:
        terminal.follow(Step("echo 1234567 Add Perth", "90b0e99 Add Perth"))
        assert terminal.follow(Step("echo 90b0e99 7654321", "")).output == "1234567 7654321"


def test_the_day_of_what_has_happened_may_be_any() -> None:
    shown = ["28 calls since {}", "no call since {} needed:", "15  last {}   ,10.9.1.0/24"]
    for one in shown:
        assert without_varying(one.format("2026-11-30")) == without_varying(one.format("2027-01-02"))


def test_a_question_is_asked_again_until_it_is_answered_as_shown(tmp_path: Path) -> None:
    with Terminal(tmp_path) as terminal:
        assert terminal.follow(Step("echo x >>curl.log; cat curl.log", "x\nx\nx")).output == "x\nx\nx"


def without_code(path: Path) -> str:
    return re.sub(r"^(```|~~~).*?^\1$", "", path.read_text(), flags=re.DOTALL | re.MULTILINE)


def anchors(path: Path) -> set[str]:
    """What a heading is called in an address, as forges have it; each heading of a page has one of its own."""
    headings = re.findall(r"^#+ (.+)$", without_code(path), re.MULTILINE)
    names = [re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings]
    assert len(names) == len(set(names)), path
    return set(names)


@pytest.mark.parametrize("path", WITH_LINKS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_every_link_leads_somewhere(path: Path) -> None:
    for link in LINK.findall(without_code(path)):
        if "://" in link:
            continue
        name, _, anchor = link.partition("#")
        target = (path.parent / name).resolve() if name else path
        assert target.exists(), link
        assert not anchor or anchor in anchors(target), link


def test_the_index_leads_to_every_page() -> None:
    index = ROOT / "docs" / "index.md"
    linked = {(index.parent / link).resolve() for link in LINK.findall(index.read_text())}
    assert linked == {*DOCUMENTS} - {index}


def test_every_page_is_two_clicks_from_the_readme() -> None:
    assert ROOT / "docs" / "index.md" in {
        (ROOT / link).resolve() for link in LINK.findall((ROOT / "README.md").read_text())
    }


QUESTIONS = {
    "laptop": "docs/run/install.md",
    "policy profile": "docs/run/install.md",
    "failover": "docs/run/install.md",
    "how many services": "docs/run/scale.md",
    "ssh keys": "docs/run/follow-a-forge.md",
    "who tried a push": "docs/run/incident.md",
    "3 a.m.": "docs/run/incident.md",
    "restore, upgrade": "docs/run/operate.md",
    "passwords": "docs/run/access.md",
    "NetBox": "docs/use/import.md",
    "rejected push": "docs/reference/problems.md",
    "which subnet": "docs/start/subnets.md",
}
"""What a stranger looks for, and the page that has it."""


@pytest.mark.parametrize(("words", "page"), QUESTIONS.items(), ids=str)
def test_what_a_stranger_looks_for_is_named_where_the_link_is(words: str, page: str) -> None:
    lists = [ROOT / "README.md", ROOT / "docs" / "index.md"]
    found = {
        (path.parent / link).resolve()
        for path in lists
        for line in path.read_text().splitlines()
        if words in line and line.startswith(("| ", "- "))
        for link in LINK.findall(line)
    }
    assert ROOT / page in found


def test_the_index_has_a_line_for_each_page() -> None:
    lines = re.findall(r"^- .*(?:\n  .*)*", (ROOT / "docs" / "index.md").read_text(), re.MULTILINE)
    named = [LINK.findall(line)[0] for line in lines]
    assert len(named) == len(set(named))
    assert not [line for line in lines if "\n" in line]


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_a_page_says_first_what_it_is_for(path: Path) -> None:
    title, empty, opening = path.read_text().splitlines()[:3]
    assert title.startswith("# ")
    assert empty == ""
    assert re.match(r"[\w`*]", opening), opening
    assert not opening.startswith("```")


def test_no_two_decisions_have_one_number() -> None:
    numbers = [path.name[:4] for path in sorted((ROOT / "docs" / "develop" / "decisions").iterdir())]
    assert numbers == [f"{number:04}" for number in range(1, len(numbers) + 1)]


def test_the_reference_is_what_the_program_says(tmp_path: Path) -> None:
    subprocess.run([sys.executable, ROOT / "docs" / "generate.py", tmp_path], check=True)
    made = {path.name: path.read_text() for path in tmp_path.iterdir()}
    assert made.keys() == {"commands.md", "problems.md", "states.md", "service.md"}
    assert made == {name: (ROOT / "docs" / "reference" / name).read_text() for name in made}


@pytest.mark.parametrize("code", CODES)
def test_the_reference_of_problems_shows_each_code_with_an_example(code: str) -> None:
    text = (ROOT / "docs" / "reference" / "problems.md").read_text()
    section = text.partition(f"\n## `{code}`\n")[2].partition("\n## ")[0]
    assert f"[{code}]\n" in section


def test_the_manual_is_what_the_program_says(tmp_path: Path) -> None:
    subprocess.run([sys.executable, ROOT / "docs" / "man_pages.py", tmp_path], check=True)
    shipped = {path.name: path.read_text() for path in (ROOT / "docs" / "reference" / "man").iterdir()}
    assert shipped == {path.name: path.read_text() for path in tmp_path.iterdir()}
    assert {"location-policy.1", "location-policy-serve.1", "location-policy-pexip-locations.1"} <= shipped.keys()
    assert "--workers" not in shipped["location-policy-serve.1"].replace("\\-", "-")  # which was taken out


def blocks_of_rules() -> list[str]:
    """The defaults, then the examples, one for each table."""
    text = (ROOT / "docs" / "reference" / "policy-toml.md").read_text()
    return re.findall(r"```toml\n(.*?)```", text, re.DOTALL)


def test_the_rules_shown_are_valid_and_name_every_key() -> None:
    rules, problems = read_rules("".join(blocks_of_rules()[1:]).encode())
    assert problems == ()
    default = Rules()
    for field in ("known", "match", "overflow", "default", "overflow_table", "severities", "limits", "views"):
        assert getattr(rules, field) != getattr(default, field)


def test_the_defaults_shown_are_the_programs_and_valid_with_all_their_comments_taken_off(tmp_path: Path) -> None:
    defaults = blocks_of_rules()[0]
    assert read_rules(defaults.encode()) == (Rules(), ())
    (tmp_path / "policy.toml").write_text(re.sub(r"^# (?=[\w[])", "", defaults, flags=re.MULTILINE))
    (tmp_path / "locations.csv").write_text("Sydney,Melbourne,10.61.2.0/24\n")
    assert run_program("check", tmp_path).stderr == "1 subnet in 1 file and 1 view: no problem\n"

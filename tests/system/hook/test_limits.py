"""A push that changes more than one push may, and how it is pushed all the same."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from location_policy.repository.objects import COMMIT_LIMIT
from tests.support.program import closed_environment, run_program
from tests.support.repositories import clone, force_commit, git, init_with, run_git, said, tip, verdict
from tests.support.service import running_service, wait_until
from tests.system.hook.conftest import Site, lose_program

ROWS = "".join(f"Sydney,10.70.{number}.0/24\n" for number in range(200))
POLICY = '[limits]\nchanged-addresses = "25%"\nremoved-subnets = "10%"\n'
LARGE = {"locations.csv": ROWS.replace("Sydney", "Perth", 60)}
REASON = "allow-large-change=a new data centre"


@pytest.fixture(scope="module")
def limited_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return init_with(tmp_path_factory.mktemp("limited"), {"locations.csv": ROWS, "policy.toml": POLICY})


@pytest.fixture
def limited(limited_template: Path, tmp_path: Path) -> Site:
    repository = tmp_path / "map.git"
    shutil.copytree(limited_template, repository)
    return Site(clone(repository, tmp_path / "clone").path, repository)


def push(site: Site, *arguments: str, by: str = "") -> subprocess.CompletedProcess[str]:
    return run_git("push", *arguments, "origin", "HEAD:main", cwd=site.path, REMOTE_USER=by)


def note(site: Site, commit: str) -> str:
    return run_git("notes", "--ref=location-policy", "show", commit, cwd=site.repository).stdout


def test_a_change_over_the_limit_is_refused_with_the_line_that_overrides_it(limited: Site) -> None:
    before = tip(limited.repository)
    limited.commit(LARGE)
    done = push(limited)
    assert done.returncode == 1
    assert verdict(done) == (
        "main is rejected: change limit exceeded\n"
        "  limits.changed-addresses: at most 25%, but it is 30% of IPv4 addresses\n"
        "\n"
        "if all of it is meant, override it with a reason:\n"
        '  git push -o allow-large-change="reason"\n'
        "or end the message of the last commit with the line\n"
        "  Allow-Large-Change: reason"
    )
    assert tip(limited.repository) == before


def test_every_limit_that_is_exceeded_is_told(limited: Site) -> None:
    limited.commit({"locations.csv": "".join(ROWS.splitlines(True)[60:])})
    told = verdict(push(limited))
    assert "  limits.changed-addresses: at most 25%, but it is 30% of IPv4 addresses\n" in told
    assert "  limits.removed-subnets: at most 10%, but it is 30% of subnets\n" in told


def test_a_view_that_takes_over_all_calls_is_refused_and_noted_when_it_is_meant(limited: Site) -> None:
    rules = f'{POLICY}[[view]]\nname = "all"\n'
    commit = limited.commit({"policy.toml": rules, "views/all/locations.csv": "Perth,10.70.0.0/16\n"})
    told = verdict(push(limited))
    for one in (
        "changed-addresses: at most 25%, but it is 100% of IPv4",
        "removed-subnets: at most 10%, but it is 100%",
    ):
        assert f"  limits.{one}" in told
    assert told.count("(all calls: the map -> view all)") == 2
    asked = run_git("push", "origin", "HEAD:refs/for/main", cwd=limited.path)
    assert "\nall calls: the map -> view all\n" in said(asked)
    assert push(limited, "-o", REASON).returncode == 0
    assert "100% of subnets (all calls: the map -> view all)" in note(limited, commit)
    limited.git("revert", "--no-edit", "HEAD")
    assert push(limited).returncode == 0  # what was served is no large change


def test_a_push_option_overrides_the_limit_and_is_noted_with_the_pusher(limited: Site) -> None:
    commit = limited.commit(LARGE)
    done = push(limited, "-o", REASON, by="alice")
    assert done.returncode == 0
    assert verdict(done) == (
        "limit overridden: changed-addresses 25%, measured 30% of IPv4 addresses\n"
        "  reason: a new data centre\n"
        "valid: 1 commit for main"
    )
    lines = note(limited, commit).splitlines()
    assert lines[:5] == [
        "Allow-Large-Change: a new data centre",
        "Rule: changed-addresses",
        "Limit: 25%",
        "Measured: 30% of IPv4 addresses",
        "Pushed-By: alice",
    ]


def test_a_trailer_on_the_tip_overrides_the_limit(limited: Site) -> None:
    commit = limited.commit(LARGE, "Merge the move\n\nReviewed.\n\nallow-large-change: the lease ends")
    assert push(limited).returncode == 0
    assert note(limited, commit).startswith("Allow-Large-Change: the lease ends\n")


@pytest.mark.parametrize(
    "trailer",
    [
        "Allow-Large-Change\t: the lease ends",
        "ALLOW-LARGE-CHANGE \t :the lease ends",
        "Allow-Large-Change:\n  the lease ends",
        "Allow-Large-Change: \xff\nAllow-Large-Change: the lease ends",
    ],
)
def test_a_trailer_is_recorded_however_it_is_written(limited: Site, trailer: str) -> None:
    commit = limited.commit(LARGE, f"Move\n\n{trailer}")
    assert push(limited).returncode == 0
    assert note(limited, commit).startswith("Allow-Large-Change: the lease ends\n")


def push_commit(site: Site, message: bytes, *headers: str) -> subprocess.CompletedProcess[str]:
    """The outcome of pushing a large change with these bytes as its message, as no command of git's own makes it."""
    site.commit(LARGE)
    tree, parent = site.git("rev-parse", "HEAD^{tree}", "HEAD~").split()
    who = "Alice <alice@example.com> 1700000000 +0000"
    head = "\n".join((f"tree {tree}", f"parent {parent}", f"author {who}", f"committer {who}", *headers, "", ""))
    made = run_git("hash-object", "-t", "commit", "-w", "--stdin", cwd=site.path, stdin=head.encode() + message)
    return run_git("push", "origin", f"{made.stdout.strip()}:main", cwd=site.path)


@pytest.mark.parametrize("encoding", ["IBM037", "IBM500"])
def test_a_trailer_is_recorded_whatever_its_commit_says_of_its_encoding(limited: Site, encoding: str) -> None:
    done = push_commit(limited, b"Move\n\nAllow-Large-Change: the lease ends\n", f"encoding {encoding}")
    assert done.returncode == 0, done.stderr
    assert note(limited, "main").startswith("Allow-Large-Change: the lease ends\n")


def test_a_message_that_is_not_read_to_its_end_has_no_trailer(limited: Site) -> None:
    beginning = b"Move\n\nAllow-Large-Change: the lease ends\n" + b"\n" * COMMIT_LIMIT
    assert push_commit(limited, beginning + b"That was thought of, and dropped.\n").returncode == 1


def test_neither_settings_of_the_user_nor_a_replaced_commit_hide_a_trailer(limited: Site, tmp_path: Path) -> None:
    (tmp_path / "config").write_text('[trailer]\n\tseparators = "="\n')
    commit = limited.commit(LARGE, "Move\n\nAllow-Large-Change: the lease ends")
    other = limited.git("commit-tree", "HEAD^{tree}", "-p", "HEAD~", "-m", "Move")
    git("fetch", "--quiet", limited.path, f"{other}:refs/replace/{commit}", cwd=limited.repository)
    done = run_git("push", "origin", "HEAD:main", cwd=limited.path, GIT_CONFIG_GLOBAL=str(tmp_path / "config"))
    assert done.returncode == 0, done.stderr
    assert note(limited, commit).startswith("Allow-Large-Change: the lease ends\n")


def test_a_trailer_below_the_tip_overrides_nothing(limited: Site) -> None:
    limited.commit(LARGE, "Move\n\nAllow-Large-Change: the lease ends")
    limited.commit({"README": "x"})
    assert push(limited).returncode == 1


def test_words_in_the_middle_of_a_message_override_and_note_nothing(limited: Site) -> None:
    message = "Move\n\nAllow-Large-Change: was thought of\n\nand dropped."
    small = limited.commit({"locations.csv": ROWS.replace("Sydney", "Perth", 1)}, message)
    assert push(limited).returncode == 0
    assert "Allow-Large-Change" not in note(limited, small)
    limited.commit(LARGE, message)
    assert push(limited).returncode == 1


@pytest.mark.parametrize(
    "option",
    [
        "allow-large-change",
        "allow-large-change=",
        "allow-large-change= ",
        "allow-large-change=\u200b",
        "allow-large-change=\u00a0\u2060 \ufe0f\u3164\x7f",
        "ci.skip=x",
    ],
)
def test_without_a_reason_nothing_is_overridden(limited: Site, option: str) -> None:
    limited.commit(LARGE)
    assert push(limited, "-o", option).returncode == 1


def test_a_trailer_without_a_character_that_shows_is_no_reason_and_hides_none(limited: Site) -> None:
    limited.commit(LARGE, "Move\n\nAllow-Large-Change: \u200b")
    assert push(limited).returncode == 1
    limited.commit({"README": "x"}, "Say why\n\nAllow-Large-Change: the lease ends\nAllow-Large-Change: \u200b\u2061")
    assert push(limited, "-o", "allow-large-change=\u2060").returncode == 0
    assert note(limited, "main").startswith("Allow-Large-Change: the lease ends\n")


def test_a_reason_that_was_not_needed_is_not_noted(limited: Site) -> None:
    commit = limited.commit({"locations.csv": ROWS.replace("Sydney", "Perth", 10)})
    assert push(limited, "-o", REASON).returncode == 0
    assert "Allow-Large-Change" not in note(limited, commit)


def test_the_limits_are_those_of_the_map_before(limited: Site) -> None:
    limited.commit({**LARGE, "policy.toml": ""})
    done = push(limited)
    assert done.returncode == 1
    assert said(done).split("\n")[1] == (
        "policy.toml: limits.changed-addresses  25% -> none  (loosens what judges the next pushes)"
    )
    assert "  rules are loosened: limits.changed-addresses 25% -> none\n" in verdict(done)


def test_going_back_to_what_was_served_needs_no_reason(limited: Site) -> None:
    before = tip(limited.repository)
    limited.commit(LARGE, "Move")
    push(limited, "-o", REASON)
    limited.git("-c", "user.name=A", "-c", "user.email=a@b", "revert", "--no-edit", "HEAD")
    done = push(limited)
    assert done.returncode == 0
    assert f"\nreturns to {before[:10]} Start the map of media locations (location-poli…)\n" in said(done)
    assert "Allow-Large-Change" not in note(limited, limited.git("rev-parse", "HEAD"))


def test_what_was_pushed_with_its_revert_is_no_place_to_go_back_to(limited: Site) -> None:
    limited.commit(LARGE, "Move")
    revert = ("-c", "user.name=A", "-c", "user.email=a@b", "revert", "--no-edit", "HEAD")
    limited.git(*revert)
    assert "no effect" in said(push(limited))
    limited.git(*revert)
    done = push(limited)
    assert (done.returncode, "returns to" in said(done)) == (1, False)
    assert "at most 25%, but it is 30% of IPv4 addresses\n" in verdict(done)
    assert push(limited, "-o", REASON).returncode == 0
    assert note(limited, limited.git("rev-parse", "HEAD")).startswith("Allow-Large-Change: a new data centre\n")


def test_what_judges_is_not_loosened_without_a_word(limited: Site) -> None:
    commit = limited.commit({"policy.toml": ""})
    done = push(limited)
    assert (done.returncode, said(done).split("\n")[1:4]) == (
        1,
        [
            "policy.toml: limits.changed-addresses  25% -> none  (loosens what judges the next pushes)",
            "policy.toml: limits.removed-subnets  10% -> none  (loosens what judges the next pushes)",
            "no effect",
        ],
    )
    assert verdict(done).startswith(
        "main is rejected: change limit exceeded\n"
        "  rules are loosened: limits.changed-addresses 25% -> none\n"
        "  rules are loosened: limits.removed-subnets 10% -> none\n"
        "\n"
        "if all of it is meant, override it with a reason:\n"
    )
    done = push(limited, "-o", "allow-large-change=a trial", by="alice")
    assert (done.returncode, verdict(done).split("\n")[0]) == (
        0,
        "limit overridden: limits.changed-addresses 25% -> none",
    )
    assert note(limited, commit).splitlines()[1:4] == [
        "Rule: limits.changed-addresses, limits.removed-subnets",
        "Limit: 25%, 10%",
        "Measured: none, none",
    ]


def test_going_back_in_other_words_is_going_back(limited: Site) -> None:
    before = tip(limited.repository)
    limited.commit(LARGE, "Move")
    push(limited, "-o", REASON)
    limited.commit({"locations.csv": "# as it was\n" + ROWS}, "Move back")
    done = push(limited)
    assert done.returncode == 0
    assert f"\nreturns to {before[:10]} " in said(done)


def test_going_back_to_rows_under_other_rules_is_not_going_back(limited: Site) -> None:
    limited.commit(LARGE, "Move")
    push(limited, "-o", REASON)
    limited.commit({"locations.csv": ROWS, "policy.toml": f'{POLICY}[answer]\noverflow = "list"\n'}, "Move back")
    done = push(limited)
    assert done.returncode == 1
    assert "returns to" not in said(done)


def test_going_back_beside_other_limits_is_told_how_it_needs_no_reason(limited: Site) -> None:
    before = tip(limited.repository)
    limited.commit(LARGE, "Move")
    push(limited, "-o", REASON)
    limited.commit({"locations.csv": ROWS, "policy.toml": POLICY.replace("10%", "20%")}, "Move back")
    done = push(limited)
    assert done.returncode == 1
    assert (
        "  limits.changed-addresses: at most 25%, but it is 30% of IPv4 addresses\n"
        "  rules are loosened: limits.removed-subnets 10% -> 20%\n"
        "\n"
        "but for what judges pushes, in policy.toml, it returns to\n"
        f"  {before[:10]} Start the map of media locations (location-poli…)\n"
        "with the policy.toml of that commit it is held to no limit\n"
        "\n"
        "if all of it is meant, override it with a reason:\n"
    ) in said(done)
    limited.commit({"policy.toml": POLICY}, "Move back")
    assert push(limited).returncode == 0


def test_what_was_forced_in_and_cannot_be_read_is_no_place_to_go_back_to(limited: Site) -> None:
    limited.git("config", "pull.ff", "only")
    force_commit(limited.repository, {"locations.csv": "Sydney\n"})
    force_commit(limited.repository, {"locations.csv": ROWS, "policy.toml": POLICY}, message="Mend")
    limited.git("pull", "--quiet", "origin", "main")
    limited.commit(LARGE)
    assert push(limited).returncode == 1


def test_an_override_shows_in_status_and_history(limited: Site) -> None:
    commit = limited.commit(LARGE)
    with running_service(limited.repository) as service:
        push(limited, "-o", REASON, by="alice")
        wait_until(lambda: bool(service.status()["active"]["override"]), service.status)
        active = service.status()["active"]
        assert active["commit"] == commit
        del active["override"]["at"]
        assert active["override"] == {
            "rule": "changed-addresses",
            "limit": "25%",
            "measured": "30% of IPv4 addresses",
            "reason": "a new data centre",
            "by": "alice",
            "is_fetched": False,
        }
        newer = limited.commit({"locations.csv": ROWS.replace("Sydney", "Perth", 59)})
        push(limited)
        assert service.wait_for("in-sync", newer)["active"]["override"] is None
    history = run_program("history", "--repo", limited.repository).stdout
    over = "over the limit (changed-addresses 25%, measured 30% of IPv4 addresses) by alice: a new data centre"
    assert over in history


def test_a_note_that_cannot_be_kept_is_told_and_the_push_stands(limited: Site) -> None:
    commit = limited.commit(LARGE)
    git("update-ref", "refs/notes/location-policy/in-the-way", "main", cwd=limited.repository)
    done = push(limited, "-o", REASON)
    assert done.returncode == 0
    assert "location-policy: the push stands, but why it exceeds a limit is not noted: git " in said(done)
    assert tip(limited.repository) == commit


@pytest.mark.parametrize(
    ("configured", "named"), [("GL_USER", []), ("", ["GL_USERNAME"]), ("GL_USER", ["GL_USERNAME"])]
)
def test_the_note_that_post_receive_makes_names_the_pusher_as_pre_receive_does(
    limited: Site, tmp_path: Path, configured: str, named: list[str]
) -> None:
    if configured:
        git("config", "location-policy.pusher", configured, cwd=limited.repository)
    sent = {"GL_USER": "gina", "GL_USERNAME": "lars", "REMOTE_USER": "mallory"}
    sent |= {"GIT_PUSH_OPTION_COUNT": "1", "GIT_PUSH_OPTION_0": REASON, "GIT_DIR": str(limited.repository)}
    before = tip(limited.repository)
    commit = force_commit(limited.repository, LARGE)
    updates = f"{before} {commit} refs/heads/main\n".encode()
    notes = []
    for hook in ("pre-receive", "post-receive"):
        done = run_program(hook, *named, cwd=tmp_path, environment=sent, stdin=updates)
        assert done.returncode == 0, done.stderr
        notes.append(note(limited, commit).splitlines()[4:5])
        git("update-ref", "-d", "refs/notes/location-policy", cwd=limited.repository)
    assert notes == [[f"Pushed-By: {'lars' if named else 'gina'}"]] * 2


def push_and_leave(site: Site, commit: str, *, after: bytes) -> None:
    """Push as git does (gitprotocol-pack), with a reason, and hang up as soon as the hook has said this."""
    old = tip(site.repository)
    wanted = f"{commit}\n^{old}\n".encode()
    packed = ["git", "pack-objects", "--revs", "--stdout", "--quiet"]
    pack = subprocess.run(packed, cwd=site.path, input=wanted, capture_output=True, check=True).stdout
    command = f"{old} {commit} refs/heads/main\0report-status side-band-64k push-options\n"
    lines = [f"{len(text) + 4:04x}{text}" if text else "0000" for text in (command, "", REASON, "")]
    serve = ["git-receive-pack", str(site.repository)]
    with subprocess.Popen(
        serve, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=closed_environment()
    ) as server:
        assert server.stdin
        assert server.stdout
        server.stdin.write("".join(lines).encode() + pack)
        server.stdin.flush()
        said = b""
        while after not in said:  # which two packets of the side band may share (gitprotocol-common, "pkt-line")
            size = server.stdout.read(4)
            assert size, said
            packet = server.stdout.read(max(0, int(size, 16) - 4))
            said += packet[1:] if packet[:1] == b"\2" else b""
        server.stdout.close()


@pytest.mark.parametrize("after", [b"reason: a new", b"valid:"])
def test_who_leaves_before_git_has_reported_is_noted_all_the_same(limited: Site, after: bytes) -> None:
    commit = limited.commit(LARGE)
    push_and_leave(limited, commit, after=after)
    assert note(limited, commit).startswith("Allow-Large-Change: a new data centre\n")


def test_a_push_is_noted_once_and_what_is_refused_or_only_asked_is_not(limited: Site) -> None:
    commit = limited.commit(LARGE)
    assert run_git("push", "-o", REASON, "origin", "HEAD:refs/for/main", cwd=limited.path).returncode == 0
    assert run_git("push", "-o", REASON, "origin", "HEAD:main", "HEAD:main/x", cwd=limited.path).returncode == 1
    assert note(limited, commit) == ""
    assert push(limited, "-o", REASON).returncode == 0
    assert note(limited, commit).count("Allow-Large-Change: ") == 1


def test_nothing_is_started_after_a_push_without_a_reason(limited: Site, tmp_path: Path) -> None:
    hook = limited.repository / "hooks" / "post-receive"
    hook.write_text(hook.read_text().replace("for program in ", f"touch {tmp_path / 'started'}\nfor program in "))
    limited.commit({"locations.csv": ROWS.replace("Sydney", "Perth", 10)})
    assert push(limited, "-o", "ci.skip").returncode == 0
    assert not (tmp_path / "started").exists()
    limited.commit(LARGE)
    assert push(limited, "-o", REASON).returncode == 0
    assert (tmp_path / "started").exists()


def test_without_the_program_the_push_stands_and_it_is_told_that_nothing_is_noted(limited: Site) -> None:
    lose_program(limited, "post-receive")
    limited.commit(LARGE)
    done = push(limited, "-o", REASON)
    assert done.returncode == 0
    assert "location-policy: the program cannot be run, so nothing is noted" in said(done)


def test_other_branches_have_no_limits(limited: Site) -> None:
    commit = limited.commit(LARGE, "Move\n\nAllow-Large-Change: none needed")
    assert run_git("push", "origin", "HEAD:side", cwd=limited.path).returncode == 0
    assert note(limited, commit) == ""


def test_a_new_branch_has_no_limits(limited: Site) -> None:
    git("config", "location-policy.branch", "live", cwd=limited.repository)
    limited.commit(LARGE, "Move\n\nAllow-Large-Change: none needed")
    assert run_git("push", "origin", "HEAD:live", cwd=limited.path).returncode == 0


def test_a_commit_that_goes_is_noted_nowhere(limited: Site) -> None:
    limited.commit(LARGE, "Move\n\nAllow-Large-Change: none needed")
    limited.push("HEAD:side")
    assert run_git("push", "-o", REASON, "origin", ":side", cwd=limited.path).returncode == 0

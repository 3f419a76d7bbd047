"""Of a remote come the history of one branch and the files of the map, in two requests; nothing comes later."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from location_policy.errors import RepositoryError
from location_policy.repository.remote.mirror import Mirror
from location_policy.repository.remote.naming import fetched_ref
from location_policy.repository.remote.upstream import ServiceTip
from location_policy.repository.repository import open_repository
from tests.repository.remote.git_remote import Remote, served_remote
from tests.support.maps import many_rows
from tests.support.repositories import GOOD, MELBOURNE, SYDNEY, Files, force_commit, git, make_repository, run_git, tip

MAP: dict[str, bytes | str] = {
    "policy.toml": "",
    "locations.csv": SYDNEY,
    "locations/emea/uk.csv": MELBOURNE,
    "owners.csv": "locations,alice\n",
    "expectations.csv": "10.61.2.0,Sydney\n",
    "views/edge/locations.csv": "Sydney,10.61.2.0/25\n",
    "views/edge/locations/emea/uk.csv": "Melbourne,10.61.3.0/25\n",
    "views/edge/expectations.csv": "10.61.2.1,Sydney\n",
}
BESIDE: dict[str, bytes | str] = {
    "docs/stray.csv": "a,b\n",
    "README.md": "x\n",
    "video/one.bin": os.urandom(300_000),
    "docs/locations/two.bin": os.urandom(300_000),
    ".gitmodules": '[submodule "x"]\n\tpath = x\n\turl = https://example.com/x.git\n',
}


@pytest.fixture
def remote(tmp_path: Path) -> Iterator[Remote]:
    """A remote that takes filters, with a map and much beside it."""
    with served_remote(make_repository(tmp_path / "remote.git", {**MAP, **BESIDE})) as served:
        yield served.filters()


def mirror_of(remote: Remote, folder: Path, branch: str | None = None) -> Mirror:
    made = Mirror(remote.url, folder / "state", branch, interval=0)
    made.make()
    return made


def contents_in(mirror: Mirror) -> set[str]:
    """The ids of the contents that are there."""
    listed = git("cat-file", "--batch-all-objects", "--batch-check=%(objecttype) %(objectname)", cwd=mirror.directory)
    return {line.removeprefix("blob ") for line in listed.splitlines() if line.startswith("blob ")}


def ids_of(remote: Remote, paths: Files, revision: str = "main") -> set[str]:
    return {git("rev-parse", f"{revision}:{path}", cwd=remote.repository) for path in paths}


def test_the_files_of_the_map_come_and_no_other(remote: Remote, tmp_path: Path) -> None:
    mirror = mirror_of(remote, tmp_path)
    mirror.update()
    assert contents_in(mirror) == ids_of(remote, MAP)
    assert sum(path.stat().st_size for path in mirror.directory.rglob("*") if path.is_file()) < 50_000


def test_a_first_fetch_asks_twice_for_objects(remote: Remote, tmp_path: Path) -> None:
    mirror_of(remote, tmp_path).update()
    asked = [line.split("/git-")[-1] for line in remote.asked if line.startswith("POST")]
    look, refs_and_history, contents = 1, 2, 1
    assert len(asked) == look + refs_and_history + contents


class Told:
    """A service that tells its tip."""

    answered_at = None

    def __init__(self, remote: Remote) -> None:
        self._remote = remote

    def current(self, *, was_service: bool) -> ServiceTip:
        del was_service
        return ServiceTip("main", tip(self._remote.repository), "a" * 16)

    def doubt(self) -> None: ...

    def close(self) -> None: ...


def test_the_next_commit_of_a_service_comes_in_one_request_as_what_differs(remote: Remote, tmp_path: Path) -> None:
    rows = many_rows(10_000)
    force_commit(remote.repository, {"locations.csv": rows, **BESIDE})
    mirror = mirror_of(remote, tmp_path)
    mirror.upstream = Told(remote)
    mirror.update()
    remote.asked, remote.sent = [], 0
    large = {"video/large.bin": os.urandom(1_100_000)}
    new = {"locations.csv": f"{rows}Perth,192.0.2.0/24\n"}
    force_commit(remote.repository, {**BESIDE, **new, **large})
    mirror.update()
    assert [line.partition(" ")[0] for line in remote.asked] == ["GET", "POST"]
    assert remote.sent < 1500
    assert contents_in(mirror) >= ids_of(remote, new)
    assert contents_in(mirror).isdisjoint(ids_of(remote, large))


def test_a_service_that_has_no_more_than_the_map_gives_the_next_commit_though_more_has_changed(
    remote: Remote, tmp_path: Path
) -> None:
    first = mirror_of(remote, tmp_path / "first")
    first.update()
    git("config", "uploadpack.allowFilter", "true", cwd=first.directory)
    git("update-ref", "refs/heads/main", tip(remote.repository), cwd=first.directory)
    with served_remote(first.directory) as service:
        second = mirror_of(service, tmp_path / "second")
        second.upstream = Told(service)
        second.update()
        new = {"locations.csv": MELBOURNE, "README.md": "y\n"}
        commit = force_commit(remote.repository, {**MAP, **BESIDE, **new})
        first.update()
        git("update-ref", "refs/heads/main", commit, cwd=first.directory)
        second.update()
        assert contents_in(second) >= ids_of(remote, {"locations.csv": ""})


def test_older_commits_have_their_files_too(remote: Remote, tmp_path: Path) -> None:
    old = git("rev-parse", "main", cwd=remote.repository)
    gone = force_commit(remote.repository, {"locations/gone.csv": SYDNEY, "video/two.bin": os.urandom(1000)})
    force_commit(remote.repository, GOOD)
    mirror = mirror_of(remote, tmp_path)
    mirror.update()
    assert contents_in(mirror) >= ids_of(remote, MAP, old) | ids_of(remote, {"locations/gone.csv": ""}, gone)
    with open_repository(mirror.directory) as repository:
        for commit in (old, gone, tip(remote.repository)):
            files = repository.files_of(repository.find_commit(commit))
            assert [file.path for file in files if file.content is None] in ([], ["docs/stray.csv"])


def test_a_side_branch_that_was_merged_has_its_files_too(remote: Remote, tmp_path: Path) -> None:
    """Its change did not survive the merge, so a history that is simplified would pass it over."""
    side = force_commit(remote.repository, {"locations/side.csv": SYDNEY}, ref="refs/heads/side")
    main = tip(remote.repository)
    git("update-ref", "refs/heads/side", main, cwd=remote.repository)
    tree = git("rev-parse", "main^{tree}", cwd=remote.repository)
    merge = git("commit-tree", tree, "-p", main, "-p", side, "-m", "Merge", cwd=remote.repository)
    git("update-ref", "refs/heads/main", merge, cwd=remote.repository)
    mirror = mirror_of(remote, tmp_path)
    mirror.update()
    assert contents_in(mirror) >= ids_of(remote, {"locations/side.csv": ""}, side)


def test_of_a_new_commit_only_what_is_new_comes(remote: Remote, tmp_path: Path) -> None:
    mirror = mirror_of(remote, tmp_path)
    mirror.update()
    before = contents_in(mirror)
    new = force_commit(remote.repository, {**MAP, **BESIDE, "locations.csv": MELBOURNE * 2, "video/new.bin": b"x"})
    mirror.update()
    assert contents_in(mirror) - before == ids_of(remote, {"locations.csv": ""}, new)


def test_a_commit_that_changes_nothing_of_the_map_costs_one_request_for_objects(remote: Remote, tmp_path: Path) -> None:
    mirror = mirror_of(remote, tmp_path)
    mirror.update()
    remote.asked.clear()
    force_commit(remote.repository, {**MAP, **BESIDE, "video/new.bin": b"x"})
    mirror.update()
    look, refs_and_history = 1, 2
    assert len([line for line in remote.asked if line.startswith("POST")]) == look + refs_and_history


def test_other_branches_and_tags_do_not_come(remote: Remote, tmp_path: Path) -> None:
    side = force_commit(remote.repository, GOOD, ref="refs/heads/side")
    git("tag", "v1", side, cwd=remote.repository)
    mirror = mirror_of(remote, tmp_path)
    mirror.update()
    assert run_git("cat-file", "-e", side, cwd=mirror.directory, GIT_ALLOW_PROTOCOL="").returncode
    refs = git("for-each-ref", "--format=%(refname)", cwd=mirror.directory).split()
    assert refs == ["refs/remotes/origin/main"]


def test_the_ref_of_a_branch_that_is_followed_no_more_goes(remote: Remote, tmp_path: Path) -> None:
    force_commit(remote.repository, GOOD, ref="refs/heads/side")
    mirror = mirror_of(remote, tmp_path)
    mirror.update()
    git("symbolic-ref", "HEAD", "refs/heads/side", cwd=remote.repository)
    mirror.update()
    refs = git("for-each-ref", "--format=%(refname)", "refs/remotes", cwd=mirror.directory).split()
    head = git("symbolic-ref", "HEAD", cwd=mirror.directory)
    assert (refs, head) == (["refs/remotes/origin/side"], "refs/heads/side")


def test_what_was_left_out_is_not_fetched_when_it_is_asked_for(remote: Remote, tmp_path: Path) -> None:
    mirror = mirror_of(remote, tmp_path)
    mirror.update()
    remote.asked.clear()
    left_out = git("rev-parse", "main:README.md", cwd=remote.repository)
    with open_repository(mirror.directory) as repository:
        assert repository.blob(left_out, 100) is None
        assert repository.content_at(tip(mirror.directory, "refs/remotes/origin/main^{tree}"), "README.md") == b""
    assert remote.asked == []


def test_a_copy_is_whole_for_a_git_that_is_told_that_it_is_partial(remote: Remote, tmp_path: Path) -> None:
    mirror = mirror_of(remote, tmp_path)
    mirror.update()
    for words in (("fsck", "--strict"), ("gc", "--quiet")):
        assert run_git("-c", "remote.origin.promisor=true", *words, cwd=mirror.directory).returncode == 0
    assert contents_in(mirror) == ids_of(remote, MAP)


@pytest.mark.parametrize("kind", ["partial", "without filters", "whole"])
def test_what_is_packed_anew_keeps_all_that_has_come(remote: Remote, tmp_path: Path, kind: str) -> None:
    mirror = mirror_of(remote, tmp_path)
    if kind == "without filters":
        git("config", "uploadpack.allowFilter", "false", cwd=remote.repository)
    elif kind == "whole":
        mirror = Mirror(remote.repository.as_uri(), tmp_path / "state", None, interval=0)
        mirror.make()
        git("config", "protocol.version", "0", cwd=mirror.directory)
    mirror.update()
    old = tip(remote.repository)
    git("config", "gc.autoPackLimit", "1", cwd=mirror.directory)
    git("config", "gc.pruneExpire", "now", cwd=mirror.directory)
    packs = set(mirror.directory.glob("objects/pack/*.pack"))
    for number in range(3):
        new = force_commit(remote.repository, {**MAP, "locations.csv": MELBOURNE * (number + 2)})
        mirror.update()
    assert not packs <= set(mirror.directory.glob("objects/pack/*.pack"))
    assert contents_in(mirror) >= ids_of(remote, MAP, old) | ids_of(remote, MAP, new)


def test_a_server_without_filters_gives_all_and_it_is_told_once(
    remote: Remote, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    git("config", "uploadpack.allowFilter", "false", cwd=remote.repository)
    mirror = mirror_of(remote, tmp_path)
    for _ in range(2):
        mirror.update()
        force_commit(remote.repository, GOOD)
    (told,) = (line for line in caplog.messages if line.startswith("copied whole"))
    assert f"repository={remote.url} bytes=6" in told
    assert contents_in(mirror) >= ids_of(remote, {"video/one.bin": ""}, "main~2")


def test_a_server_that_gives_no_content_by_its_id_gives_all(
    remote: Remote, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """So does one that is asked in the first protocol, as over an ssh that passes no variable on."""
    caplog.set_level(logging.INFO)
    mirror = Mirror(remote.repository.as_uri(), tmp_path / "state", None, interval=0)
    mirror.make()
    git("config", "protocol.version", "0", cwd=mirror.directory)
    mirror.update()
    assert contents_in(mirror) >= ids_of(remote, {**MAP, "video/one.bin": ""})
    new = force_commit(remote.repository, {**MAP, "locations.csv": MELBOURNE * 2, "video/three.bin": "x"})
    mirror.update()
    assert contents_in(mirror) >= ids_of(remote, {"locations.csv": "", "video/three.bin": ""}, new)
    assert len([line for line in caplog.messages if line.startswith("copied whole")]) == 1
    assert mirror.looks.remade == 0


@pytest.mark.parametrize("kind", ["sha1", "sha256"])
def test_a_remote_of_either_kind_of_id_is_followed(tmp_path: Path, kind: str) -> None:
    repository = tmp_path / "remote.git"
    repository.mkdir()
    git("init", "--quiet", "--bare", "--initial-branch=main", f"--object-format={kind}", cwd=repository)
    force_commit(repository, GOOD)
    with served_remote(repository) as remote:
        mirror = mirror_of(remote.filters(), tmp_path)
        mirror.update()
        assert tip(mirror.directory, fetched_ref("refs/heads/main")) == tip(repository)
        new = force_commit(repository, {"locations.csv": MELBOURNE})
        mirror.update()
        assert tip(mirror.directory, fetched_ref("refs/heads/main")) == new
        assert mirror.looks.remade == 0


def test_the_copy_of_an_earlier_version_is_made_anew(remote: Remote, tmp_path: Path) -> None:
    mirror = mirror_of(remote, tmp_path)
    git("config", "--unset", "location-policy.copy", cwd=mirror.directory)
    force_commit(remote.repository, {"video/side.bin": b"x"}, ref="refs/heads/side")
    git("fetch", "--quiet", remote.repository, "+refs/heads/*:refs/heads/*", cwd=mirror.directory)
    mirror.update()
    assert git("for-each-ref", "--format=%(refname)", "refs/heads", cwd=mirror.directory) == "refs/heads/main"
    assert contents_in(mirror) == ids_of(remote, MAP)
    assert mirror.looks.remade == 1


def written(repository: Path, kind: str, content: bytes) -> str:
    """The id of an object that git would not make by itself."""
    words = ("hash-object", "-t", kind, "-w", "--literally", "--stdin")
    return run_git(*words, cwd=repository, stdin=content).stdout.strip()


def a_tree(repository: Path, *modes: bytes) -> str:
    """The id of a tree with one file, once for each mode."""
    content = bytes.fromhex(git("rev-parse", "main:locations.csv", cwd=repository))
    return written(repository, "tree", b"".join(mode + b" locations.csv\0" + content for mode in modes))


@pytest.mark.parametrize("times", [" 1300000000 +051800", "1300000000 +0000"])
@pytest.mark.parametrize("is_first", [True, False])
def test_old_history_that_harms_nobody_is_followed(remote: Remote, tmp_path: Path, times: str, is_first: bool) -> None:
    tree, person = a_tree(remote.repository, b"0100644"), f"Alice <a@example.com>{times}"
    text = f"tree {tree}\nauthor {person}\ncommitter {person}\n\nOld\n"
    old = written(remote.repository, "commit", text.encode())
    new = git("commit-tree", "main^{tree}", "-p", old, "-p", "main", "-m", "New", cwd=remote.repository)
    mirror = mirror_of(remote, tmp_path)
    if not is_first:
        mirror.update()
    git("update-ref", "refs/heads/main", new, cwd=remote.repository)
    mirror.update()
    new = force_commit(remote.repository, {"locations.csv": MELBOURNE})
    mirror.update()
    with open_repository(mirror.directory) as repository:
        assert repository.tip(fetched_ref("refs/heads/main")) == new
        assert repository.commit(old).author == "Alice"
    assert (mirror.looks.failed, mirror.looks.remade) == (0, 0)


def test_other_offences_of_a_history_are_told_with_what_to_do(remote: Remote, tmp_path: Path) -> None:
    tree = a_tree(remote.repository, b"100644", b"100644")
    new = git("commit-tree", tree, "-p", "main", "-m", "Twice", cwd=remote.repository)
    git("update-ref", "refs/heads/main", new, cwd=remote.repository)
    mirror = mirror_of(remote, tmp_path)
    with pytest.raises(RepositoryError, match=r"has what git takes for unsafe: .* duplicateEntries") as told:
        mirror.update()
    assert told.value.hint == "git fsck in a clone of it says where: it has to go from the branch"
    assert mirror.looks.last_error
    assert (mirror.looks.last_error.kind, mirror.looks.remade) == ("remote", 0)


def test_a_shallow_remote_is_told_and_followed_once_it_is_whole(remote: Remote, tmp_path: Path) -> None:
    whole = remote.repository.as_uri()
    force_commit(remote.repository, {"locations.csv": MELBOURNE})
    git("clone", "--quiet", "--bare", "--depth=1", whole, "shallow.git", cwd=tmp_path)
    with served_remote(tmp_path / "shallow.git") as shallow:
        mirror = mirror_of(shallow.filters(), tmp_path)
        with pytest.raises(
            RepositoryError, match=f"^{shallow.url} is a shallow clone, so its history does not come$"
        ) as told:
            mirror.update()
        assert mirror.looks.last_error
        assert (mirror.looks.last_error.kind, mirror.looks.failed, mirror.looks.remade) == ("remote", 1, 0)
        command = (told.value.hint or "").partition("there: git ")[2].split()
        git(*command, cwd=tmp_path / "shallow.git")
        mirror.hurry()
        mirror.update()
        assert tip(mirror.directory, fetched_ref("refs/heads/main")) == tip(remote.repository)


@pytest.mark.parametrize("commits", [300])
def test_a_long_history_that_always_touches_the_map_comes_in_as_many_requests(tmp_path: Path, commits: int) -> None:
    repository = make_repository(tmp_path / "remote.git", GOOD)
    script = "".join(
        f"commit refs/heads/main\ncommitter A <a@example.com> {1_700_000_000 + number} +0000\ndata 1\nx"
        f"{f'from {tip(repository)}' if not number else ''}\n"
        f"M 100644 inline locations/apac.csv\ndata <<E\nSydney,10.{number // 250}.{number % 250}.0/24\nE\n\n"
        for number in range(commits)
    )
    assert run_git("fast-import", "--quiet", cwd=repository, stdin=script.encode()).returncode == 0
    with served_remote(repository) as remote:
        mirror = mirror_of(remote.filters(), tmp_path)
        mirror.update()
        assert len([line for line in remote.asked if line.startswith("POST")]) <= 6
        assert len(contents_in(mirror)) == commits + 1

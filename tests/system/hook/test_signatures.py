"""Pushes to a branch whose commits must be signed, with real keys."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.support.repositories import BAD, GOOD, MELBOURNE, SYDNEY, git, run_git, tip, verdict
from tests.support.service import wait_until
from tests.support.signing import (
    GpgKey,
    SshKey,
    commit_signed,
    gpg_key,
    make_ssh_key,
    needs_gpg,
    needs_ssh,
    require,
    settings,
)
from tests.system.hook.conftest import Site

pytestmark = needs_ssh

BETTER = {"locations/apac.csv": SYDNEY}
OTHER = {"locations/apac.csv": MELBOURNE}


@pytest.fixture
def site(site: Site, signers: Path) -> Site:
    require(site.repository, "tip", allowedSigners=signers)
    return site


def told(site: Site, *arguments: str) -> str:
    """What a push that is refused says."""
    push = site.push(*arguments)
    assert push.returncode == 1
    return verdict(push)


# --- who may ---


def test_a_commit_that_a_listed_key_has_signed_is_taken_and_its_signer_told(site: Site, alice: SshKey) -> None:
    commit = commit_signed(site, alice, BETTER)
    push = site.push()
    assert (push.returncode, verdict(push)) == (
        0,
        f"signed by alice@example.com\n  {alice.fingerprint}\nvalid: 1 commit for main",
    )
    assert tip(site.repository) == commit


def test_a_commit_that_nobody_has_signed_is_refused_with_the_lines_to_type(site: Site) -> None:
    commit = site.commit(BETTER)
    assert told(site) == (
        "main is rejected: 1 commit not signed by an allowed signer\n"
        "\n"
        f"commit {commit[:10]} Change the map (Alice)\n"
        "  it is not signed\n"
        "\n"
        "to fix it: sign with a key that is listed\n"
        "  git config gpg.format ssh\n"
        "  git config user.signingKey ~/.ssh/id_ed25519.pub\n"
        "  git commit -S --amend --no-edit\n"
        "and push again; who keeps the list can add a key to it"
    )


def test_the_lines_to_type_mend_it(site: Site, alice: SshKey) -> None:
    site.commit(BETTER)
    lines = [line.split()[1:] for line in told(site).splitlines() if line.startswith("  git ")]
    for line in lines:
        site.git(*(word.replace("~/.ssh/id_ed25519.pub", f"{alice.path}.pub") for word in line))
    assert site.push().returncode == 0


def test_a_key_that_is_not_listed_is_told(site: Site, eve: SshKey) -> None:
    commit_signed(site, eve, BETTER)
    assert f"  its key is not listed, or not for this date\n  {eve.fingerprint}\n" in told(site)


def test_the_author_of_a_commit_proves_nothing(site: Site, eve: SshKey) -> None:
    site.commit(BETTER, **eve.signs, GIT_AUTHOR_EMAIL="alice@example.com", GIT_COMMITTER_EMAIL="alice@example.com")
    assert "its key is not listed" in told(site)


def test_a_commit_that_was_changed_after_it_was_signed_is_refused(site: Site, alice: SshKey) -> None:
    commit_signed(site, alice, BETTER)
    text = run_git("cat-file", "commit", "HEAD", cwd=site.path).stdout.replace("Change the map", "Change a map")
    forged = run_git("hash-object", "-t", "commit", "-w", "--stdin", cwd=site.path, stdin=text.encode()).stdout.strip()
    assert "its signature is not good, or its key is revoked" in told(site, f"{forged}:main")


def test_a_revoked_key_is_refused(site: Site, alice: SshKey, tmp_path: Path) -> None:
    (tmp_path / "revoked").write_text(alice.public)
    require(site.repository, "tip", revokedSigners=tmp_path / "revoked")
    commit_signed(site, alice, BETTER)
    assert "its signature is not good, or its key is revoked" in told(site)


def test_what_begins_as_no_signature_does_is_told_and_keeps_no_other_from_being_judged(site: Site) -> None:
    site.commit(BETTER)
    text = run_git("cat-file", "commit", "HEAD", cwd=site.path).stdout.replace("\n\n", "\ngpgsig nonsense\n\n", 1)
    odd = run_git("hash-object", "-t", "commit", "-w", "--stdin", cwd=site.path, stdin=text.encode()).stdout.strip()
    site.git("reset", "--quiet", "--hard", odd)
    unsigned = site.commit({"locations/emea.csv": "Oslo,10.64.9.0/24\n"})
    require(site.repository, "all")
    said = told(site)
    assert f"commit {odd[:10]} Change the map (Alice)\n  its signature is not good, or its key is revoked\n" in said
    assert f"commit {unsigned[:10]} Change the map (Alice)\n  it is not signed\n" in said


@pytest.mark.parametrize(("options", "status"), [("valid-before", 1), ("valid-after", 0)])
def test_the_time_of_a_key_is_held_to_the_date_of_the_commit(
    site: Site, alice: SshKey, tmp_path: Path, options: str, status: int
) -> None:
    (tmp_path / "signers").write_text(alice.line(f'{options}="20200101"'))
    require(site.repository, "tip", allowedSigners=tmp_path / "signers")
    commit_signed(site, alice, BETTER)
    assert site.push().returncode == status
    site.git("reset", "--quiet", "--hard", "origin/main")
    site.commit(OTHER, "Back-dated", **alice.signs, GIT_COMMITTER_DATE="2019-06-01T00:00:00Z")
    assert site.push().returncode == 1 - status


def test_a_key_signed_by_a_listed_authority_is_taken(site: Site, tmp_path: Path) -> None:
    authority = make_ssh_key(tmp_path, "authority")
    carol = make_ssh_key(tmp_path, "carol")
    public = carol.path.with_suffix(".pub")
    command = ["ssh-keygen", "-q", "-s", str(authority.path), "-I", "carol", "-n", "carol@example.com", str(public)]
    subprocess.run(command, check=True)
    (tmp_path / "signers").write_text(f"*@example.com cert-authority {authority.public}\n")
    require(site.repository, "tip", allowedSigners=tmp_path / "signers")
    site.commit(BETTER, **settings({"gpg.format": "ssh", "user.signingKey": str(tmp_path / "carol-cert.pub")}))
    push = site.push()
    assert (push.returncode, verdict(push).splitlines()[0]) == (0, "signed by carol@example.com")


# --- what must be ---


def test_below_the_tip_nothing_must_be_signed(site: Site, alice: SshKey) -> None:
    site.commit(BETTER)
    commit_signed(site, alice, OTHER)
    assert site.push().returncode == 0


def test_every_commit_can_be_asked_to_be_signed(site: Site, alice: SshKey) -> None:
    require(site.repository, "all")
    base = site.git("rev-parse", "HEAD")
    plain = site.commit(BETTER, "Unsigned")
    commit_signed(site, alice, OTHER)
    seen = told(site)
    assert f"commit {plain[:10]} Unsigned (Alice)\n  it is not signed\n" in seen
    assert f"  git rebase --force-rebase --rebase-merges -S {base[:10]}\n" in seen


def test_the_line_to_type_signs_every_commit_of_a_history_with_a_merge(site: Site, alice: SshKey) -> None:
    require(site.repository, "all")
    site.git("checkout", "--quiet", "-b", "side")
    site.commit({"locations/emea.csv": "Oslo,10.70.0.0/24\n"})
    site.git("checkout", "--quiet", "main")
    site.commit(BETTER)
    site.git("-c", "user.name=A", "-c", "user.email=a@b.c", "merge", "--quiet", "--no-edit", "side")
    line = next(line for line in told(site).splitlines() if line.startswith("  git rebase"))
    git(*line.split()[1:], cwd=site.path, **alice.signs)
    push = site.push()
    assert push.returncode == 0
    assert verdict(push) == f"signed by alice@example.com\n  {alice.fingerprint}\nvalid: 3 commits for main"


def test_a_side_branch_pushed_first_is_no_way_round(site: Site, alice: SshKey) -> None:
    require(site.repository, "all")
    site.commit(BETTER)
    assert site.push("HEAD:side").returncode == 0
    commit_signed(site, alice, OTHER)
    assert "1 commit not signed by an allowed signer" in told(site)


def test_a_dry_run_tells_whether_it_is_signed(site: Site, alice: SshKey) -> None:
    site.commit(BETTER)
    assert "it is not signed" in told(site, "HEAD:refs/for/main")
    commit_signed(site, alice, OTHER)
    push = site.push("HEAD:refs/for/main")
    assert push.returncode == 0
    assert "signed by alice@example.com" in verdict(push)


def test_other_branches_need_no_signature(site: Site) -> None:
    site.commit(BETTER)
    assert site.push("HEAD:side", "HEAD:refs/tags/v1").returncode == 0


def test_of_a_new_branch_only_the_tip_must_be_signed(empty_site: Site, alice: SshKey, signers: Path) -> None:
    require(empty_site.repository, "all", allowedSigners=signers)
    empty_site.commit(GOOD)
    assert "it is not signed" in told(empty_site)
    commit_signed(empty_site, alice, BETTER)
    assert empty_site.push().returncode == 0


@pytest.mark.parametrize("scope", ["tip", "all"])
def test_going_back_needs_a_signed_commit_to_go_back_to(site: Site, alice: SshKey, scope: str) -> None:
    require(site.repository, scope)
    git("config", "location-policy.allowNonFastForward", "true", cwd=site.repository)
    commit_signed(site, alice, BETTER)
    commit_signed(site, alice, OTHER)
    assert site.push().returncode == 0
    assert site.push("--force", "HEAD~:main").returncode == 0
    assert "it is not signed" in told(site, "--force", "HEAD~2:main")


def test_content_and_signature_are_told_in_one_go(site: Site) -> None:
    site.commit(BAD)
    seen = told(site)
    assert "has host bits set [host-bits]" in seen
    assert "it is not signed" in seen


def test_a_signature_makes_bad_content_no_better(site: Site, alice: SshKey) -> None:
    commit_signed(site, alice, BAD)
    seen = told(site)
    assert "has host bits set [host-bits]" in seen
    assert "signed" not in seen


def test_of_many_commits_the_first_are_told_and_the_rest_counted(site: Site) -> None:
    require(site.repository, "all")
    for number in range(12):
        site.commit({"locations/apac.csv": f"Sydney,10.61.{number}.0/24\n"})
    seen = told(site)
    assert seen.startswith("main is rejected: 12 commits not signed by an allowed signer\n")
    assert "\n… and 2 more\n" in seen


def test_of_many_signers_the_first_are_told_and_the_rest_counted(site: Site, tmp_path: Path) -> None:
    keys = [make_ssh_key(tmp_path, f"signer{number}") for number in range(12)]
    (tmp_path / "signers").write_text("".join(key.line() for key in keys))
    require(site.repository, "all", allowedSigners=tmp_path / "signers")
    for number, key in enumerate(keys):
        commit_signed(site, key, {"locations/apac.csv": f"Sydney,10.61.{number}.0/24\n"})
    seen = verdict(site.push())
    assert seen.count("signed by signer") == 10
    assert seen.endswith("\n… and 2 more\nvalid: 12 commits for main")


def test_more_commits_than_one_git_judges_are_all_judged(site: Site, alice: SshKey) -> None:
    require(site.repository, "all")
    plain = site.commit(BETTER)
    blob = site.git("rev-parse", "HEAD^{tree}")
    tip_id = plain
    for number in range(120):
        tip_id = site.git("commit-tree", blob, "-p", tip_id, "-m", str(number))
    site.git("reset", "--quiet", "--hard", tip_id)
    commit_signed(site, alice, OTHER)
    assert told(site).startswith("main is rejected: 121 commits not signed by an allowed signer\n")


# --- GPG ---


@needs_gpg
def test_a_key_of_the_keyring_is_taken(site: Site, bob: GpgKey, tmp_path: Path) -> None:
    keyring = tmp_path / "keyring.asc"
    keyring.write_bytes(bob.run("--armor", "--export"))
    require(site.repository, "tip", gpgKeyring=keyring)
    commit_signed(site, bob, BETTER)
    push = site.push()
    assert (push.returncode, verdict(push)) == (
        0,
        f"signed by Bob <bob@example.com>\n  {bob.fingerprint}\nvalid: 1 commit for main",
    )


@needs_gpg
def test_a_key_that_is_in_no_keyring_is_refused(site: Site, bob: GpgKey) -> None:
    commit_signed(site, bob, BETTER)
    assert f"  its key is not listed\n  {bob.fingerprint[-16:]}\n" in told(site)


@needs_gpg
def test_the_keyring_of_the_user_who_runs_the_hook_does_not_count(site: Site, bob: GpgKey, tmp_path: Path) -> None:
    with gpg_key("carol") as carol:
        keyring = tmp_path / "keyring.gpg"
        keyring.write_bytes(carol.run("--export"))
        require(site.repository, "tip", gpgKeyring=keyring)
        site.commit(BETTER, **bob.signs)
        push = run_git("push", "origin", "HEAD:main", cwd=site.path, GNUPGHOME=str(bob.home))
        assert push.returncode == 1
        site.git("reset", "--quiet", "--hard", "origin/main")
        commit_signed(site, carol, BETTER)
        assert site.push().returncode == 0


@needs_gpg
def test_without_a_file_of_signers_the_lines_to_type_are_those_of_gpg(site: Site, bob: GpgKey, tmp_path: Path) -> None:
    keyring = tmp_path / "keyring.asc"
    keyring.write_bytes(bob.run("--armor", "--export"))
    git("config", "--unset", "location-policy.allowedSigners", cwd=site.repository)
    require(site.repository, "tip", gpgKeyring=keyring)
    site.commit(BETTER)
    assert "  git config gpg.format openpgp\n" in told(site)
    site.git("config", "gpg.format", "openpgp")
    site.git("config", "user.signingKey", "bob@example.com")
    git("commit", "-S", "--amend", "--no-edit", cwd=site.path, GNUPGHOME=str(bob.home))
    assert site.push().returncode == 0


@needs_gpg
@pytest.mark.parametrize("how", ["revoked", "expired"])
def test_a_key_of_gpg_that_is_no_longer_good_is_refused(site: Site, tmp_path: Path, how: str) -> None:
    with gpg_key("carol") as carol:
        commit_signed(site, carol, BETTER)
        if how == "revoked":
            revocation = (carol.home / "openpgp-revocs.d" / f"{carol.fingerprint}.rev").read_bytes()
            carol.run("--import", stdin=revocation.replace(b"\n:-----", b"\n-----"))
        else:
            carol.run("--quick-set-expire", carol.fingerprint, "seconds=1")
            wait_until(lambda: b"pub:e:" in carol.run("--list-keys", "--with-colons"))
        keyring = tmp_path / "keyring.asc"
        keyring.write_bytes(carol.run("--armor", "--export"))
    require(site.repository, "tip", gpgKeyring=keyring)
    assert f"  its key {'is revoked' if how == 'revoked' else 'has expired'}\n" in told(site)


# --- a rule that cannot be held ---


@pytest.mark.parametrize(
    ("key", "value", "message", "hint"),
    [
        ("requireSignatures", "tips", "requireSignatures is 'tips', not tip or all", "requireSignatures tip"),
        ("requireSignatures", "true", "requireSignatures is 'true', not tip or all", "requireSignatures tip"),
        ("allowedSigners", "", "requireSignatures is tip, but no signers are listed", "allowedSigners /etc/"),
        ("allowedSigners", "signers", "allowedSigners is signers, not an absolute path", "allowedSigners /etc/"),
        ("allowedSigners", "/nowhere", "/nowhere cannot be read: No such file or directory", "allowedSigners names"),
        ("revokedSigners", "/nowhere", "/nowhere cannot be read: No such file or directory", "revokedSigners names"),
        ("gpgKeyring", "/dev/null", "/dev/null has no public key of OpenPGP", "--export NAME >/dev/null"),
        ("requireSignature", "all", "requiresignature is not a setting", "requireSignatures meant?"),
    ],
)
def test_a_rule_that_cannot_be_held_lets_nothing_pass(
    site: Site, alice: SshKey, key: str, value: str, message: str, hint: str
) -> None:
    git("config", f"location-policy.{key}", value, cwd=site.repository)
    commit_signed(site, alice, BETTER)
    head, problem, mend = told(site).splitlines()
    assert head == "main is rejected: signatures cannot be checked"
    assert problem.removeprefix("location-policy.") == message
    assert mend.startswith("  hint: ")
    assert hint in mend


def test_a_rule_whose_name_is_misspelt_holds_all_the_same(site: Site) -> None:
    git("config", "--unset", "location-policy.requireSignatures", cwd=site.repository)
    git("config", "location-policy.requiredSignatures", "all", cwd=site.repository)
    site.commit(BETTER)
    assert "location-policy.requiredsignatures is not a setting" in told(site)


@needs_gpg
@pytest.mark.parametrize("content", [b"-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nA\n=\n", b"", b"key of Bob"])
def test_a_keyring_without_a_key_is_told(site: Site, tmp_path: Path, content: bytes) -> None:
    (tmp_path / "keyring").write_bytes(content)
    require(site.repository, "tip", gpgKeyring=tmp_path / "keyring")
    site.commit(BETTER)
    assert f"{tmp_path / 'keyring'} has no public key of OpenPGP" in told(site)


def test_a_file_of_signers_inside_the_repository_that_it_judges_is_refused(site: Site, alice: SshKey) -> None:
    (site.repository / "signers").write_text(alice.line())
    (site.repository.parent / "link").symlink_to(site.repository / "signers")
    require(site.repository, "tip", allowedSigners=site.repository.parent / "link")
    commit_signed(site, alice, BETTER)
    assert "names a file inside the repository that it judges" in told(site)


def test_without_ssh_keygen_nothing_passes_and_it_is_said(site: Site, alice: SshKey, tmp_path: Path) -> None:
    commit_signed(site, alice, BETTER)
    for program in ("git", "sh"):
        (tmp_path / program).symlink_to(shutil.which(program) or "")
    push = run_git("push", "origin", "HEAD:main", cwd=site.path, PATH=str(tmp_path))
    assert push.returncode == 1
    hint = "  hint: install it, since location-policy.allowedSigners needs it"
    assert f"ssh-keygen cannot be run\n{hint}" in verdict(push)


@pytest.mark.parametrize("no", ["false", "off", "No", "0", ""])
def test_nothing_must_be_signed_where_the_rule_is_switched_off(site: Site, no: str) -> None:
    require(site.repository, no)
    site.commit(BETTER)
    push = site.push()
    assert (push.returncode, verdict(push)) == (0, "valid: 1 commit for main")

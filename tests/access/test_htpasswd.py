"""Users and hashes: what is taken, what is refused and how that is told."""

from __future__ import annotations

import bcrypt
import pytest

from location_policy.access import htpasswd as passwords
from location_policy.access.htpasswd import Users, check_name, has_user, hash_password, read_htpasswd, with_password
from location_policy.errors import UnusableFile

SECRET = "$2y$05$Y/Bb/xjGZ6k/wsD1n/ZO7e2FuxfZQOySKHVxCqlPPlLwDcoK/E3rS"


@pytest.fixture(autouse=True)
def cheap(monkeypatch: pytest.MonkeyPatch) -> None:
    """New hashes in a millisecond."""
    monkeypatch.setattr(passwords, "COST", 4)


def hashed(password: str | bytes, cost: int = 4) -> str:
    return bcrypt.hashpw(password if isinstance(password, bytes) else password.encode(), bcrypt.gensalt(cost)).decode()


def users(text: str) -> Users:
    return read_htpasswd(text.encode(), "htpasswd")


def refused(text: str | bytes) -> list[str]:
    with pytest.raises(UnusableFile) as caught:
        read_htpasswd(text if isinstance(text, bytes) else text.encode(), "my htpasswd")
    return [str(problem) for problem in caught.value.problems]


@pytest.mark.parametrize("prefix", ["$2y$", "$2b$", "$2a$"])
def test_every_bcrypt_that_apache_writes_is_read(prefix: str) -> None:
    known = users(f"# nodes\n\nnode:{prefix}{hashed('secret')[4:]}\r\n")
    assert known.know("node", [b"secret"])
    assert not known.know("node", [b"Secret"])
    assert not known.know("nobody", [b"secret"])


@pytest.mark.parametrize(
    ("value", "what"),
    [
        ("$apr1$mx7Hs1uK$pjA0N9N5uMCNVPd5Dyu.x1", "kept by MD5"),
        ("{SHA}fEqNCco3Yq9h5ZUglD3CZJT4lBs=", "kept by SHA-1"),
        ("$5$salt$Gcm6FsVtF/Qa77ZKD.iwsJlCVPY0XSMgLJL0Hnww/c1", "kept by SHA-256 crypt"),
        ("$6$salt$x", "kept by SHA-512 crypt"),
        ("rqXexS6ZhobKA", "not a bcrypt hash, but plain text, crypt, or damaged"),
        ("opensesame", "not a bcrypt hash, but plain text, crypt, or damaged"),
        (SECRET[:-1], "not a bcrypt hash, but plain text, crypt, or damaged"),
    ],
)
def test_anything_weaker_is_refused_with_the_line_to_type_and_not_told(value: str, what: str) -> None:
    (told,) = refused(f"# x\nnode:{value}\n")
    assert told == (
        f"my htpasswd:2:1: error: the password of node is {what}, which is not taken [not-a-user]\n"
        "  hint: htpasswd -B 'my htpasswd' node"
    )


def test_every_line_that_is_wrong_is_told() -> None:
    text = b"no colon\nx:\nbad\xffname:" + SECRET.encode() + f"\nnode:{SECRET}\nnode:{SECRET}\n".encode()
    told = [line.partition(" error: ")[2].partition("\n")[0] for line in refused(text)]
    assert told == [
        "this is not a user, a colon and a hash [not-a-user]",
        "this is not a user, a colon and a hash [not-a-user]",
        "the name is not UTF-8 [not-a-user]",
        "node has a line above already [not-a-user]",
    ]


@pytest.mark.parametrize("cost", ["03", "16", "31"])
def test_a_cost_that_would_take_minutes_is_refused(cost: str) -> None:
    assert f"the hash of node has the cost {cost}, 4 to 15 are taken" in refused(f"node:$2y${cost}{SECRET[6:]}")[0]


def test_a_file_without_users_is_refused_with_what_adds_one() -> None:
    (told,) = refused("# nobody yet\n")
    assert told.endswith("hint: location-policy password USER --htpasswd 'my htpasswd'")


def test_a_name_that_is_not_there_is_compared_at_the_usual_cost(monkeypatch: pytest.MonkeyPatch) -> None:
    known = users(f"a:{hashed('x', 5)}\nb:{hashed('x', 5)}\nc:{hashed('x', 4)}\n")
    compared: list[bytes] = []
    monkeypatch.setattr(bcrypt, "checkpw", lambda _, hash_: compared.append(hash_[:7]))
    assert not known.know("a", [b"wrong"])
    assert not known.know("nobody", [b"wrong"])
    assert compared == [b"$2b$05$", b"$2b$05$"]


def test_a_password_over_72_bytes_is_never_right_and_costs_the_same() -> None:
    known = users(f"node:{hashed('x' * 72)}\n")
    assert known.know("node", [b"x" * 72])
    assert not known.know("node", [b"x" * 73])
    assert not known.know("node", [b"x" * 10_000_000])


def test_a_name_is_found_in_either_form_of_unicode() -> None:
    known = users(f"Jose\u0301:{hashed('x')}\n")
    assert known.know("Jos\u00e9", [b"x"])
    assert refused(f"Jose\u0301:{SECRET}\nJos\u00e9:{SECRET}\n")


# --- changed ---


def test_a_line_is_changed_and_everything_else_stays() -> None:
    old = b"# nodes\n\na:1\nb:2 \n# end"
    assert with_password(old, "b", "3") == b"# nodes\n\na:1\nb:3\n# end"
    assert with_password(old, "c", "3") == old + b"\nc:3\n"
    assert with_password(b"", "c", "3") == b"c:3\n"
    assert with_password(b"a:1\nb:2\na:3\n", "a", "4") == b"a:4\nb:2\n"
    assert has_user(old, "b")
    assert not has_user(old, "# nodes")


def test_a_new_hash_is_that_of_the_composed_form() -> None:
    new = hash_password("cafe\u0301")
    known = users(f"node:{new}\n")
    assert known.know("node", ["caf\u00e9".encode()])


@pytest.mark.parametrize(
    ("password", "told"), [("", "is empty"), ("a\0b", "control characters"), ("é" * 37, "is longer than 72 bytes")]
)
def test_a_password_that_could_not_be_used_is_refused(password: str, told: str) -> None:
    with pytest.raises(ValueError, match=told):
        hash_password(password)


@pytest.mark.parametrize("user", ["", "a:b", "#a", " a", "a ", "a\nb", "a\x85b", "a\udce9"])
def test_a_name_that_no_user_can_have_is_refused(user: str) -> None:
    with pytest.raises(ValueError, match="a user's name"):
        check_name(user)

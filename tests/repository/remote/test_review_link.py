"""The link to the page on which a branch is reviewed: printed by a forge, or made from its URL."""

from __future__ import annotations

import pytest

from location_policy.repository.remote.review_link import LONGEST_LINK, review_link

BRANCH = "location-policy/ana/20261124T194000Z"
HOST = "https://git.example.com"
GITLAB = "https://gitlab.example.com/net/emea/map/-/merge_requests/new"


@pytest.mark.parametrize(
    ("url", "page"),
    [
        ("https://github.com/net/map.git", f"https://github.com/net/map/compare/main...{BRANCH}?expand=1"),
        ("git@github.com:net/map.git", f"https://github.com/net/map/compare/main...{BRANCH}?expand=1"),
        ("ssh://git@ssh.github.com:443/net/map.git", f"https://github.com/net/map/compare/main...{BRANCH}?expand=1"),
        ("https://acme.ghe.com/net/map", f"https://acme.ghe.com/net/map/compare/main...{BRANCH}?expand=1"),
        (
            "ssh://git@gitlab.example.com:2222/net/emea/map.git",
            f"{GITLAB}?merge_request%5Bsource_branch%5D={BRANCH}&merge_request%5Btarget_branch%5D=main",
        ),
        ("http://gitea.example.com:3000/net/map/", f"http://gitea.example.com:3000/net/map/compare/main...{BRANCH}"),
        ("https://codeberg.org/net/map.git", f"https://codeberg.org/net/map/compare/main...{BRANCH}"),
        ("https://git.example.com/net/map.git", None),
        ("https://notgithub.example.com/net/map.git", None),
        ("file:///srv/github/map.git", None),
    ],
)
def test_the_page_of_a_forge_that_is_known_by_its_host_is_made_from_the_url(url: str, page: str | None) -> None:
    assert review_link(url, [], BRANCH, "main") == page


def test_what_would_end_a_part_of_a_url_is_quoted_in_a_link_that_is_made() -> None:
    made = review_link("https://github.com/net/map.git", [], "location-policy/łucja/x", "a?b#c")
    assert made == "https://github.com/net/map/compare/a%3Fb%23c...location-policy/%C5%82ucja/x?expand=1"


@pytest.mark.parametrize(
    ("url", "said", "link"),
    [
        (  # docs.github.com, what a first push of a branch prints
            "git@github.com:net/map.git",
            [
                f"Create a pull request for '{BRANCH}' on GitHub by visiting:",
                f"     https://github.com/net/map/pull/new/{BRANCH}",
            ],
            f"https://github.com/net/map/pull/new/{BRANCH}",
        ),
        (  # GitLab, after a banner of its administrators
            "https://git.example.com/net/map.git",
            [
                "Maintenance on Sunday: https://git.example.com/status.",
                "  https://git.example.com/net/map/-/merge_requests/new?merge_request%5Bsource_branch%5D="
                + BRANCH.replace("/", "%2F"),
            ],
            "https://git.example.com/net/map/-/merge_requests/new?merge_request%5Bsource_branch%5D="
            + BRANCH.replace("/", "%2F"),
        ),
        (  # a forge that has ssh on another port
            "ssh://git@git.example.com:2222/net/map.git",
            [f"visit {HOST}:8443/net/map/compare/main...{BRANCH}."],
            f"{HOST}:8443/net/map/compare/main...{BRANCH}",
        ),
        ("https://git.example.com/map.git", [f"see {HOST}/reviews/17 (mail is sent)"], f"{HOST}/reviews/17"),
        ("https://github.com/a/b", ["1 warning: https://github.com/a/b/security"], "made"),
    ],
)
def test_the_link_that_a_forge_prints_counts_and_first_one_with_the_branch(
    url: str, said: list[str], link: str
) -> None:
    wanted = f"https://github.com/a/b/compare/main...{BRANCH}?expand=1" if link == "made" else link
    assert review_link(url, said, BRANCH, "main") == wanted


@pytest.mark.parametrize(
    "line",
    [
        f"https://evil.example.net/{BRANCH}",
        f"https://git.example.com@evil.example.net/{BRANCH}",
        f"https://ana@git.example.com/{BRANCH}",
        f"https://git.example.com.evil.example.net/{BRANCH}",
        f"https://evil.example.net\\@git.example.com/{BRANCH}",
        f"javascript:alert('{HOST}')",
        f"ftp://git.example.com/{BRANCH}",
        f"https://[git.example.com/{BRANCH}",
        f"{HOST}/{'x' * LONGEST_LINK}",
        "",
    ],
)
def test_a_link_to_elsewhere_or_of_another_kind_is_none(line: str) -> None:
    assert review_link("https://git.example.com/map.git", [line], BRANCH, "main") is None


def test_what_would_leave_an_attribute_of_a_page_ends_a_link() -> None:
    said = [f'{HOST}/reviews/1"><script>']
    assert review_link("https://git.example.com/map.git", said, BRANCH, "main") == f"{HOST}/reviews/1"

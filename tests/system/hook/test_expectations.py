"""Expectations, held to by pushes."""

from __future__ import annotations

from tests.support.repositories import GOOD, SYDNEY, said, tip
from tests.system.hook.conftest import Site

EXPECTED = "# promises\n10.61.2.0/23,Sydney,the office\n"


def test_a_push_that_breaks_an_expectation_is_refused_with_the_row_that_does(site: Site) -> None:
    site.commit({"locations/apac.csv": SYDNEY.replace("2.0/24", "2.0/23"), "expectations.csv": EXPECTED})
    assert site.push().returncode == 0
    site.commit(GOOD, "Split the office")
    push = site.push()
    assert push.returncode == 1
    assert (
        "expectations.csv:2:1: error: 10.61.3.0 gets Melbourne from locations/apac.csv:2 (10.61.3.0/24),"
        " but all of 10.61.2.0/23 should get Sydney: the office [broken-expectation]\n"
    ) in said(push)


def test_an_expectation_that_changes_with_its_row_is_taken(site: Site) -> None:
    site.commit({"expectations.csv": "10.61.2.0/24,Sydney\n10.61.3.0/24,Melbourne\n"})
    site.commit({"locations/apac.csv": "Perth,10.61.2.0/23\n", "expectations.csv": "10.61.2.0/23,Perth\n"})
    assert site.push().returncode == 0


def test_a_commit_that_breaks_what_the_next_one_mends_is_refused(site: Site) -> None:
    before = tip(site.repository)
    site.commit({"expectations.csv": "10.61.2.0/24,Sydney\n10.61.3.0/24,Melbourne\n"})
    broken = site.commit({"locations/apac.csv": SYDNEY}, "Break it")
    site.commit(GOOD, "Mend it")
    told = said(site.push())
    assert "1 of 3 commits has errors" in told
    assert broken[:10] in told
    assert "10.61.3.0 gets no answer, as no row covers it" in told
    assert tip(site.repository) == before

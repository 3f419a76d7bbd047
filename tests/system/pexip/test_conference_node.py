"""The oracle itself: each rule of the Pexip contract, part 2.4, by a response made up for it."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from threading import Event, Thread

import pytest

from tests.system.pexip.conference_node import (
    HOST,
    Fallback,
    NoResponseError,
    Placed,
    Response,
    Verdict,
    ask,
    judge,
    place,
)

KNOWN = frozenset(("Sydney", "Melbourne", "Singapore"))
JSON = {"content-type": "application/json"}
GOOD = b'{"status":"success","result":{"location":"Sydney"}}'


def judge_body(body: bytes) -> Verdict:
    return judge(Response(200, JSON, body), KNOWN)


def judge_result(**result: object) -> Verdict:
    return judge_body(json.dumps({"status": "success", "result": result}).encode())


@contextmanager
def listening(*pieces: bytes, stalls: bool = False) -> Iterator[int]:
    """The port of a server that sends these pieces to its one caller; one that stalls repeats the last, slowly."""
    done = Event()

    def serve() -> None:
        caller, _ = listener.accept()
        with caller, suppress(ConnectionError):  # the caller may leave first
            caller.recv(65536)
            for piece in pieces:
                caller.sendall(piece)
            while stalls and not done.wait(0.02):
                caller.sendall(pieces[-1])

    with socket.create_server((HOST, 0)) as listener:
        thread = Thread(target=serve)
        thread.start()
        try:
            yield listener.getsockname()[1]
        finally:
            done.set()
            thread.join()


# --- judging ---


def test_a_known_location_without_overflow_is_taken() -> None:
    assert judge_result(location="Sydney") == Placed("Sydney")


def test_the_older_pair_is_taken_in_order() -> None:
    verdict = judge_result(
        location="Sydney", primary_overflow_location="Melbourne", secondary_overflow_location="Singapore"
    )
    assert verdict == Placed("Sydney", ("Melbourne", "Singapore"))


def test_of_the_older_pair_one_may_be_missing() -> None:
    assert judge_result(location="Sydney", secondary_overflow_location="Melbourne") == Placed("Sydney", ("Melbourne",))


def test_null_in_the_older_pair_counts_as_missing() -> None:
    assert judge_result(location="Sydney", primary_overflow_location=None) == Placed("Sydney")


def test_a_list_of_overflow_locations_is_taken_in_order() -> None:
    verdict = judge_result(location="Sydney", overflow_locations=["Singapore", "Melbourne"])
    assert verdict == Placed("Sydney", ("Singapore", "Melbourne"))


def test_an_empty_list_of_overflow_locations_is_none() -> None:
    assert judge_result(location="Sydney", overflow_locations=[]) == Placed("Sydney")


def test_the_list_goes_before_the_pair() -> None:
    verdict = judge_result(location="Sydney", overflow_locations=["Singapore"], primary_overflow_location="Melbourne")
    assert verdict == Placed("Sydney", ("Singapore",))


def test_keys_that_are_not_known_are_passed_over() -> None:
    """Pexip contract 1.7: they are shown in the support log."""
    body = b'{"policy.commit":"90b0e99","status":"success","result":{"location":"Sydney","note":1}}'
    assert judge_body(body) == Placed("Sydney")


def test_the_media_type_may_have_parameters_and_capitals() -> None:
    response = Response(200, {"content-type": "Application/JSON; charset=utf-8"}, GOOD)
    assert judge(response, KNOWN) == Placed("Sydney")


def test_an_answer_at_the_last_moment_is_taken() -> None:
    assert judge(Response(200, JSON, GOOD, elapsed=5.0), KNOWN) == Placed("Sydney")


def test_an_answer_after_five_seconds_is_a_fallback() -> None:
    assert judge(Response(200, JSON, GOOD, elapsed=5.1), KNOWN) == Fallback("took 5.1 s")


@pytest.mark.parametrize("status", [201, 204, 301, 302, 307, 308, 400, 401, 404, 500, 503])
def test_any_other_status_code_than_200_is_a_fallback(status: int) -> None:
    assert judge(Response(status, JSON, GOOD), KNOWN) == Fallback(f"HTTP status {status}")


def test_another_media_type_is_a_fallback() -> None:
    response = Response(200, {"content-type": "text/html; charset=utf-8"}, GOOD)
    assert judge(response, KNOWN) == Fallback("Content-Type is 'text/html'")


def test_no_media_type_is_a_fallback() -> None:
    assert judge(Response(200, {}, GOOD), KNOWN) == Fallback("Content-Type is ''")


def test_what_is_not_json_is_a_fallback() -> None:
    assert judge_body(b"Sydney") == Fallback("not JSON: Expecting value: line 1 column 1 (char 0)")


def test_what_is_not_utf_8_is_a_fallback() -> None:
    verdict = judge_body(b'{"status":"\xff"}')
    assert isinstance(verdict, Fallback)
    assert verdict.why.startswith("not JSON: 'utf-8' codec can't decode byte 0xff")


def test_json_that_is_not_an_object_is_a_fallback() -> None:
    assert judge_body(b'["success"]') == Fallback("the JSON is not an object")


def test_an_answer_without_status_is_a_fallback() -> None:
    assert judge_body(b'{"result":{"location":"Sydney"}}') == Fallback("status is None")


def test_any_other_status_than_success_is_a_fallback() -> None:
    assert judge_body(b'{"status":"Success","result":{"location":"Sydney"}}') == Fallback("status is 'Success'")


def test_success_without_a_result_is_a_fallback() -> None:
    assert judge_body(b'{"status":"success"}') == Fallback("no result, or not an object")


def test_a_result_that_is_not_an_object_is_a_fallback() -> None:
    assert judge_body(b'{"status":"success","result":["Sydney"]}') == Fallback("no result, or not an object")


def test_an_empty_result_is_a_fallback() -> None:
    assert judge_result() == Fallback("location is None")


def test_a_location_that_is_not_text_is_a_fallback() -> None:
    assert judge_result(location=["Sydney"]) == Fallback("location is ['Sydney']")


def test_an_empty_location_is_a_fallback() -> None:
    assert judge_result(location="") == Fallback("location is ''")


def test_a_location_of_250_characters_is_taken() -> None:
    name = "é" * 250
    body = json.dumps({"status": "success", "result": {"location": name}}).encode()
    assert judge(Response(200, JSON, body), {name}) == Placed(name)


def test_a_location_of_251_characters_is_a_fallback_even_if_known() -> None:
    name = "x" * 251
    body = json.dumps({"status": "success", "result": {"location": name}}).encode()
    assert judge(Response(200, JSON, body), {name}) == Fallback(f"location is {name!r}")


def test_an_unknown_location_is_a_fallback() -> None:
    assert judge_result(location="Perth") == Fallback("no such location: 'Perth'")


@pytest.mark.parametrize("name", ["sydney", "Sydney ", "\ufeffSydney"], ids=["case", "space", "byte-order-mark"])
def test_names_compare_exactly(name: str) -> None:
    assert judge_result(location=name) == Fallback(f"no such location: {name!r}")


def test_one_unknown_overflow_location_voids_the_whole_answer() -> None:
    verdict = judge_result(location="Sydney", overflow_locations=["Melbourne", "Perth"])
    assert verdict == Fallback("no such location: 'Perth'")


def test_an_empty_overflow_location_voids_the_whole_answer() -> None:
    """What pexsubnet sent for an empty cell (Pexip contract 2.2)."""
    verdict = judge_result(location="Sydney", primary_overflow_location="", secondary_overflow_location="Melbourne")
    assert verdict == Fallback("no such location: ''")


@pytest.mark.parametrize("listed", ["Melbourne", None, {"Melbourne": 1}], ids=["text", "null", "object"])
def test_overflow_locations_that_are_not_a_list_are_a_fallback(listed: object) -> None:
    assert judge_result(location="Sydney", overflow_locations=listed) == Fallback(f"overflow_locations is {listed!r}")


def test_an_overflow_location_that_is_not_text_is_a_fallback() -> None:
    verdict = judge_result(location="Sydney", overflow_locations=["Melbourne", None])
    assert verdict == Fallback("an overflow location is None")


def test_a_verdict_reads_as_in_the_table_of_requests() -> None:
    verdicts = (Placed("Sydney", ("Melbourne", "Singapore")), Placed("Sydney"), Fallback("HTTP status 404"))
    assert [str(verdict) for verdict in verdicts] == ["Sydney(Melbourne,Singapore)", "Sydney", "FALLBACK"]


# --- asking ---


def test_a_response_comes_back_with_its_headers_in_lower_case() -> None:
    with listening(b"HTTP/1.1 404 Not Found\r\nX-Commit: 90b0e99\r\nContent-Length: 2\r\n\r\n{}") as port:
        response = ask(port, "/policy/v1/service/configuration")
    assert (response.status, response.headers["x-commit"], response.body) == (404, "90b0e99", b"{}")
    assert 0 < response.elapsed < 5


def test_a_good_answer_places_the_call() -> None:
    with listening(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n", GOOD) as port:
        assert place(port, "/policy/v1/participant/location", KNOWN) == Placed("Sydney")


def test_a_redirect_is_not_followed() -> None:
    """The server takes one caller only: a second request would find none."""
    with listening(b"HTTP/1.1 307 Temporary Redirect\r\nLocation: /\r\nContent-Length: 0\r\n\r\n") as port:
        assert place(port, "/policy/v1/participant/location/", KNOWN) == Fallback("HTTP status 307")


def test_an_answer_that_never_ends_is_given_up_in_time() -> None:
    """The timeout counts for the whole exchange: bytes that keep coming do not renew it."""
    with listening(b"HTTP/1.1 200 OK\r\nX-Slow: ", b"x", stalls=True) as port, pytest.raises(NoResponseError):
        ask(port, "/policy/v1/participant/location", timeout=0.2)


def test_a_body_that_never_ends_is_given_up_in_time() -> None:
    """Without Content-Length the end of the connection would pass for the end of the answer."""
    head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n"
    with listening(head, GOOD, b" ", stalls=True) as port:
        verdict = place(port, "/policy/v1/participant/location", KNOWN, timeout=0.2)
    assert verdict == Fallback("no answer: took 0.2 s")


def test_a_server_that_hangs_up_is_a_fallback() -> None:
    with listening() as port:
        verdict = place(port, "/policy/v1/participant/location", KNOWN)
    assert isinstance(verdict, Fallback)
    assert verdict.why.startswith("no answer: RemoteDisconnected(")


def test_a_server_that_is_not_there_is_a_fallback() -> None:
    with socket.create_server((HOST, 0)) as listener:
        port = listener.getsockname()[1]
    verdict = place(port, "/policy/v1/participant/location", KNOWN)
    assert isinstance(verdict, Fallback)
    assert verdict.why.startswith("no answer: ConnectionRefusedError(")

"""What is wrong with a text that is not a subnet."""

from __future__ import annotations

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from location_policy.config.subnet_hints import diagnose
from location_policy.net.addresses import Network, parse_interface


def is_subnet(text: str) -> bool:
    try:
        parse_interface(text)
    except ValueError:
        return False
    return True


octets = st.sampled_from(["0", "7", "10", "010", "255", "256", "0000", "٣"])
befores = (
    st.lists(octets, min_size=1, max_size=5).map(".".join)
    | st.ip_addresses().map(str)
    | st.ip_addresses(v=4).map(lambda address: f"::ffff:{address}")
)
afters = st.sampled_from(
    [
        "",
        "/",
        "/024",
        "/+24",
        "/0000000000024",
        "/33",
        "/96",
        "/0120",
        "/129",
        "/255.255.255.0",
        "/0.0.0.255",
        "/0.0.0.0",
        "/255.255.255.255",
        "/255.0.255.0",
        " / 24",
        "\\24",
        " 255.255.0.0",
        "//8",
        "%eth0/64",
        "-10.61.3.0",
    ]
)
near_subnets = st.tuples(befores, afters).map("".join) | st.text("0123456789abc:./ +", max_size=30) | st.text()


@given(near_subnets)
@example("10.61.2.0/24")
@example("::ffff:10.61.2.7")
@example("::ffff:10.61.2.7/0120")
def test_a_hint_names_only_subnets_that_will_be_taken(text: str) -> None:
    assume(not is_subnet(text))
    hint = diagnose(text).hint.removeprefix("write a subnet as").removeprefix("write")
    subnets = [word.strip(",") for word in hint.split() if "/" in word]
    assert subnets
    for subnet in subnets:
        assert subnet == str(Network.holding(*parse_interface(subnet)))


@given(near_subnets)
def test_a_message_names_the_text_and_is_short(text: str) -> None:
    assume(not is_subnet(text))
    assert len(diagnose(text).message) < 200


@pytest.mark.parametrize("text", ["10.61.2.0 /24", "10.61.2.0-10.61.2.255", "10.61.2.0%eth0/24"])
def test_an_address_with_something_behind_it_has_no_leading_zeros(text: str) -> None:
    assert diagnose(text).code == "not-a-subnet"


@pytest.mark.parametrize("text", ["010.61.2.0/24", "10.061.2.0", "10.61.2.00/024", "10.61.02.0/255.255.255.0"])
def test_leading_zeros_are_said_to_be_octal(text: str) -> None:
    assert diagnose(text).code == "octal-octet"


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("10.61.2.7", "write 10.61.2.7/32"),
        ("10.61.2.0", "write 10.61.2.0/32 for one address, or 10.61.2.0/24 if that was meant"),
        ("2001:db8::7", "write 2001:db8::7/128"),
        ("::ffff:10.61.2.7", "write 10.61.2.7/32"),
        ("10.61.2.7/255.255.255.0", "write 10.61.2.0/24, or 10.61.2.7/32 if that was meant"),
        ("10.61.3.0 255.255.254.0", "write 10.61.2.0/23, or 10.61.3.0/24 if that was meant"),
        ("10.61.3.0/+23", "write 10.61.2.0/23, or 10.61.3.0/24 if that was meant"),
        ("10.61.3/23", "write 10.61.2.0/23, or 10.61.3.0/24 if that was meant"),
        ("\uff11\uff10.61.3.0/23", "write 10.61.2.0/23, or 10.61.3.0/24 if that was meant"),
        ("10.61.2.0/0.0.0.255", "write 10.61.2.0/24"),
        ("10.61.2.0 255.255.255.0", "write 10.61.2.0/24"),
        ("10.61.2.7/024", "write 10.61.2.0/24, or 10.61.2.7/32 if that was meant"),
        ("10.61.2.0/0000000000024", "write 10.61.2.0/24"),
        ("10.61.2.0 /24", "write 10.61.2.0/24"),
        ("10.61.2.0\\24", "write 10.61.2.0/24"),
        ("10.61/16", "write 10.61.0.0/16"),
        ("010.061.002.000/24", "write 10.61.2.0/24"),
        ("010.061.002.007", "write 10.61.2.7/32"),
        ("::ffff:10.61.2.0/24", "write 10.61.2.0/24"),
        ("::ffff:10.61.2.0/0120", "write 10.61.2.0/24"),
        ("\uff11\uff10.61.2.0/24", "write 10.61.2.0/24"),
        ("10.61.2.0\u221524", "write 10.61.2.0/24"),
        ("10.61.2.0\u204424", "write 10.61.2.0/24"),
        ("2001\uff1adb8\uff1a:/32", "write 2001:db8::/32"),
        ("1\u041e.61.2.0/24", "write a subnet as 10.61.2.0/24 or 2001:db8:61::/48"),
    ],
)
def test_what_was_meant_can_be_typed(text: str, hint: str) -> None:
    assert diagnose(text).hint == hint


def test_a_character_that_only_looks_like_one_of_a_subnet_is_named() -> None:
    message = diagnose("10.61.2.0\u204424").message
    assert message == "10.61.2.0\u204424 is not a subnet: it has \\u2044 (fraction slash)"


@pytest.mark.parametrize(
    "text",
    [
        "nowhere",
        "10.61.2.0/33",
        "2001:db8::/129",
        "10.61.2.0/255.0.255.0",
        "10.61.2.0/0.0.0.0",
        "10.61.2.0/x",
        "/24",
        "2001:db8::/ffff::",
        "010.300.0.0/8",
        "10.61.2.*",
    ],
)
def test_what_cannot_be_guessed_gets_an_example(text: str) -> None:
    assert diagnose(text).hint == "write a subnet as 10.61.2.0/24 or 2001:db8:61::/48"


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("10.61.2.0-10.61.2.255", "write 10.61.2.0/24"),
        ("10.61.2.128 \u2013 10.61.2.255", "write 10.61.2.128/25"),
        ("10.61.2.0-127", "write 10.61.2.0/25"),
        ("2001:db8:: - 2001:db8::ff", "write 2001:db8::/120"),
        ("10.61.2.1-10.61.2.254", "write a subnet as 10.61.2.0/24 or 2001:db8:61::/48"),
    ],
)
def test_a_range_is_named_and_the_subnet_that_it_is(text: str, hint: str) -> None:
    assert diagnose(text)[1:] == (f"{text} is a range of addresses, not a subnet", hint)


@pytest.mark.parametrize("text", ["10.61.2.9-10.61.2.1", "10.61.2.0-2001:db8::", "10.61.2.0-256", "1-2-3", "-"])
def test_what_is_no_range_is_not_called_one(text: str) -> None:
    assert "range" not in diagnose(text).message

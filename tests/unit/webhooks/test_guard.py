"""Permitted and forbidden addresses and URLs."""

from ipaddress import ip_address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from generation.webhooks.guard import ForbiddenAddress, GuardPolicy, check_url, forbidden, receiver

STRICT = GuardPolicy()


@pytest.mark.parametrize(
    ("address", "reason"),
    [
        ("0.0.0.0", "this host"),
        ("0.1.2.3", "this host"),
        ("10.0.0.1", "private"),
        ("10.255.255.255", "private"),
        ("100.64.0.1", "own network"),
        ("100.100.100.200", "own network"),
        ("127.0.0.1", "loopback"),
        ("127.255.255.254", "loopback"),
        ("168.63.129.16", "host agent"),
        ("169.254.169.254", "metadata"),
        ("172.16.0.1", "private"),
        ("172.31.255.255", "private"),
        ("192.0.0.192", "protocols"),
        ("192.0.2.1", "documentation"),
        ("192.88.99.1", "6to4"),
        ("192.168.1.1", "private"),
        ("198.18.0.1", "benchmarks"),
        ("198.19.255.255", "benchmarks"),
        ("198.51.100.7", "documentation"),
        ("203.0.113.7", "documentation"),
        ("224.0.0.1", "multicast"),
        ("239.255.255.255", "multicast"),
        ("240.0.0.1", "reserved"),
        ("255.255.255.255", "broadcast"),
        ("::", "this host"),
        ("::1", "loopback"),
        ("::127.0.0.1", "not a public address"),
        ("::ffff:127.0.0.1", "127.0.0.1 is this host"),
        ("::ffff:a00:1", "10.0.0.1 is a private"),
        ("::ffff:0:127.0.0.1", "not a public address"),
        ("64:ff9b::7f00:1", "NAT64"),
        ("64:ff9b::808:808", "NAT64"),
        ("64:ff9b:1::1", "NAT64"),
        ("100::1", "discard"),
        ("2001::1", "protocols"),
        ("2001:0:4136:e378:8000:63bf:3fff:fdd2", "protocols"),
        ("2001:db8::1", "documentation"),
        ("2002:7f00:1::", "6to4"),
        ("2002:808:808::", "6to4"),
        ("3fff::1", "documentation"),
        ("5f00::1", "segment routing"),
        ("fc00::1", "private"),
        ("fd00:ec2::254", "private"),
        ("fe80::1", "link-local"),
        ("fe80::1%eth0", "link-local"),
        ("fec0::1", "site-local"),
        ("ff02::1", "multicast"),
        ("4000::1", "not a public address"),
    ],
)
def test_refused_addresses(address: str, reason: str) -> None:
    found = forbidden(ip_address(address), ())
    assert found is not None
    assert reason in found


@pytest.mark.parametrize(
    "address",
    [
        "1.1.1.1",
        "8.8.8.8",
        "9.255.255.255",
        "11.0.0.0",
        "100.63.255.255",
        "100.128.0.0",
        "126.255.255.255",
        "128.0.0.0",
        "169.253.255.255",
        "172.15.255.255",
        "172.32.0.0",
        "192.0.1.0",
        "192.167.255.255",
        "192.169.0.0",
        "198.17.255.255",
        "198.20.0.0",
        "223.255.255.255",
        "::ffff:8.8.8.8",
        "2001:4860:4860::8888",
        "2606:4700:4700::1111",
    ],
)
def test_public_addresses(address: str) -> None:
    assert forbidden(ip_address(address), ()) is None


@given(st.ip_addresses(v=4))
def test_every_spelling_of_an_ipv4_address_is_checked_alike(address: object) -> None:
    plain = ip_address(str(address))
    mapped = ip_address(f"::ffff:{address}")
    assert forbidden(mapped, ()) == forbidden(plain, ())
    # Where NAT64 is allowed as such, the address within decides.
    translated = ip_address(int(ip_address("64:ff9b::")) + int(plain))
    assert forbidden(translated, [ip_network("64:ff9b::/96")]) == forbidden(plain, ())


@pytest.mark.parametrize(
    ("address", "allowed", "permitted"),
    [
        ("127.0.0.1", "127.0.0.0/8", True),
        ("::ffff:127.0.0.1", "127.0.0.0/8", True),
        ("::1", "::1/128", True),
        ("::1", "127.0.0.0/8", False),
        ("10.1.2.3", "10.1.0.0/16", True),
        ("10.2.2.3", "10.1.0.0/16", False),
        ("64:ff9b::808:808", "64:ff9b::/96", True),
        ("64:ff9b::7f00:1", "64:ff9b::/96", False),
        ("2002:7f00:1::", "2002::/16", False),
        ("2002:808:808::", "2002::/16", True),
        ("fd12::1", "fd12::/16", True),
    ],
)
def test_allowed_networks(address: str, allowed: str, permitted: bool) -> None:
    assert (forbidden(ip_address(address), [ip_network(allowed)]) is None) is permitted


@pytest.mark.parametrize(
    "url",
    [
        "https://hooks.example.com/genq",
        "https://hooks.example.com:443/genq?token=a%2Fb",
        "https://HOOKS.example.com",
        "https://hooks.example.com./",
        "https://bücher.example/",
        "https://under_score.example.com/",
        "https://hooks.example.com:80/",
        "https://8.8.8.8/",
        "https://[2606:4700:4700::1111]/hook",
        "https://notinternal/",
        "https://1.example.com/",
    ],
)
def test_permitted_urls(url: str) -> None:
    check_url(url, STRICT)
    assert receiver(url)


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("http://hooks.example.com/", "use https://"),
        ("ftp://hooks.example.com/", "begins with https://"),
        ("file:///etc/passwd", "begins with https://"),
        ("//hooks.example.com/", "begins with https://"),
        ("hooks.example.com/genq", "begins with https://"),
        ("https:///genq", "begins with https://"),
        ("https:hooks.example.com", "begins with https://"),
        ("", "begins with https://"),
        ("https://user@hooks.example.com/", "user name or password"),
        ("https://user:word@hooks.example.com/", "user name or password"),
        ("https://hooks.example.com\\@127.0.0.1/", "user name or password"),
        ("https://hooks.example.com/#top", "fragment"),
        ("https://hooks.example.com/#", "fragment"),
        ("https://hooks.example.com:8443/", "permitted: 80, 443"),
        ("https://hooks.example.com:22/", "permitted: 80, 443"),
        ("https://hooks.example.com:0/", "no port 0"),
        ("https://hooks.example.com:99999/", "no port 99999"),
        ("https://hooks.example.com:x/", "not a URL"),
        ("https://hooks.example.com/\x00", "not a URL"),
        ("https://127.0.0.1/", "loopback"),
        ("https://[::1]/", "loopback"),
        ("https://[::ffff:127.0.0.1]/", "loopback"),
        ("https://[::ffff:7f00:1]/", "loopback"),
        ("https://[64:ff9b::127.0.0.1]/", "NAT64"),
        ("https://[fe80::1%25eth0]/", "link-local"),
        ("https://169.254.169.254/latest/meta-data/", "metadata"),
        ("https://127。0。0。1/", "loopback"),
        ("https://１２７.0.0.1/", "not a URL"),
        ("https://2130706433/", "four decimal numbers"),
        ("https://0x7f000001/", "four decimal numbers"),
        ("https://0X7F.1/", "four decimal numbers"),
        ("https://017700000001/", "four decimal numbers"),
        ("https://0177.0.0.1/", "not a URL"),
        ("https://127.1/", "four decimal numbers"),
        ("https://127.0.0.1./", "four decimal numbers"),
        ("https://%31%32%37.0.0.1/", "no valid host"),
        ("https://localhost/", "this host"),
        ("https://LocalHost./", "this host"),
        ("https://hooks.localhost/", "this host"),
        ("https://metadata.google.internal/", "private name"),
        ("https://metadata.google.internal./", "private name"),
        ("https://printer.LOCAL/", "private name"),
        ("https://a..example.com/", "no valid host"),
        ("https://-a.example.com/", "no valid host"),
        (f"https://{'a' * 64}.example.com/", "no valid host"),
        (f"https://{'a.' * 127}example.com/", "no valid host"),
        ("https://exa mple.com/", "no valid host"),
    ],
)
def test_refused_urls(url: str, message: str) -> None:
    with pytest.raises(ForbiddenAddress, match=message):
        check_url(url, STRICT)


@pytest.mark.parametrize(
    ("url", "policy"),
    [
        ("http://hooks.example.com/", GuardPolicy(allow_http=True)),
        ("https://hooks.example.com:8443/", GuardPolicy(allowed_ports=frozenset({8443}))),
        ("https://hooks.example.com:8443/", GuardPolicy(allowed_ports=None)),
        ("https://localhost/", GuardPolicy(allowed_networks=(ip_network("127.0.0.0/8"),))),
        ("https://127.0.0.1/", GuardPolicy(allowed_networks=(ip_network("127.0.0.0/8"),))),
        ("https://hooks.internal/", GuardPolicy(allowed_networks=(ip_network("10.0.0.0/8"),))),
    ],
)
def test_policies_of_operators(url: str, policy: GuardPolicy) -> None:
    with pytest.raises(ForbiddenAddress):
        check_url(url, STRICT)
    check_url(url, policy)


@pytest.mark.parametrize(
    "url",
    [
        "https://user:hunter2@hooks.example.com/",
        "https://user:hunter2/@hooks.example.com/",
        "https://hooks.example.com:8443/hunter2?key=hunter2",
        "https://127.0.0.1/hunter2",
        "http://hooks.example.com/hunter2",
    ],
)
def test_refusals_quote_no_secret(url: str) -> None:
    with pytest.raises(ForbiddenAddress) as refusal:
        check_url(url, STRICT)
    assert "hunter2" not in str(refusal.value)
    assert refusal.value.__cause__ is None


@given(st.text(max_size=60) | st.text(max_size=60).map("https://".__add__))
def test_any_text_is_accepted_or_refused(url: str) -> None:
    named = receiver(url)
    try:
        check_url(url, STRICT)
    except ForbiddenAddress as refusal:
        assert str(refusal)
    else:
        assert named.endswith((":443", ":80"))


@pytest.mark.parametrize(
    ("url", "who"),
    [
        ("https://Hooks.example.com/a", "hooks.example.com:443"),
        ("http://hooks.example.com/b", "hooks.example.com:80"),
        ("https://me:hunter2@hooks.example.com:8443/hunter2", "hooks.example.com:8443"),
        ("ftp://hooks.example.com/", "hooks.example.com:0"),
        ("hunter2", ":0"),
        ("https://a.example.com:hunter2/", ""),
    ],
)
def test_receivers_differ_by_host_and_port(url: str, who: str) -> None:
    assert receiver(url) == who

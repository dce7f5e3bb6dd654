"""Redis URLs: what they mean, and what is shown of those that mean nothing."""

from __future__ import annotations

import pickle
import ssl
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bullworks.redis.errors import BadUrlError
from bullworks.redis.url import parse_url, redact_url


def test_a_plain_url_names_host_port_and_database() -> None:
    address = parse_url("redis://cache.example:7000/3")
    assert (address.transport, address.host, address.port, address.db) == ("tcp", "cache.example", 7000, 3)
    assert (address.username, address.password) == (None, None)


def test_what_a_url_leaves_out_is_redis_default() -> None:
    address = parse_url("redis://")
    assert (address.host, address.port, address.db) == ("localhost", 6379, 0)


def test_user_and_password_are_percent_decoded() -> None:
    address = parse_url("redis://us%40er:p%40s%3As%2F%25@h")
    assert (address.username, address.password) == ("us@er", "p@s:s/%")


def test_user_and_password_may_be_options() -> None:
    address = parse_url("redis://h?username=u&password=p%2520")
    assert (address.username, address.password) == ("u", "p%20")


def test_a_password_alone_belongs_to_the_default_user() -> None:
    address = parse_url("redis://:secret@h")
    assert (address.username, address.password) == (None, "secret")


def test_the_database_may_be_an_option() -> None:
    assert parse_url("redis://h?db=4").db == 4
    assert parse_url("redis://h/4?db=4").db == 4


def test_an_ipv6_host_is_unbracketed_inside_and_bracketed_in_messages() -> None:
    address = parse_url("redis://[::1]:6380/1")
    assert address.host == "::1"
    assert address.place == "[::1]:6380"
    assert address.describe() == "redis://[::1]:6380/1"


def test_a_unix_url_names_a_socket() -> None:
    address = parse_url("unix://user:secret@/var/run/my%20redis.sock?db=2")
    assert (address.transport, address.path, address.db) == ("unix", "/var/run/my redis.sock", 2)
    assert address.password == "secret"
    assert address.describe() == "unix://user:***@/var/run/my redis.sock?db=2"


def test_tls_options_are_typed() -> None:
    address = parse_url(
        "rediss://h?ssl_ca_certs=/ca.pem&ssl_certfile=/c.pem&ssl_keyfile=/k.pem&ssl_check_hostname=false"
        "&ssl_cert_reqs=optional&ssl_min_version=1.3&socket_connect_timeout=0.5&socket_keepalive=no"
    )
    assert address.transport == "tls"
    assert address.connect_timeout_ms == 500
    assert dict(address.options) == {
        "ssl_ca_certs": "/ca.pem",
        "ssl_certfile": "/c.pem",
        "ssl_keyfile": "/k.pem",
        "ssl_check_hostname": False,
        "ssl_cert_reqs": "optional",
        "ssl_min_version": ssl.TLSVersion.TLSv1_3,
        "socket_keepalive": False,
    }


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("", "no scheme"),
        ("localhost:6379", "no scheme"),
        ("http://h", "unknown scheme"),
        ("redis+sentinels://u:hunter2@h/mymaster", "unknown scheme"),
        ("redis://u:hunter2@h:0", "port"),
        ("redis://u:hunter2@h:65536", "port"),
        ("redis://u:hunter2@h:six", "port"),
        ("redis://h:hunter2", "port"),
        ("redis://u:hunter2@h/jobs", "database"),
        ("redis://u:hunter2@h/-1", "database"),
        ("redis://u:hunter2@h/1?db=2", "two databases"),
        ("redis://u:hunter2@h?db=x", "whole number"),
        ("redis://u:hunter2@h?db=1&db=1", "twice"),
        ("redis://u:hunter2@h?decode_responses=true", "unknown option"),
        ("redis://u:hunter2@h?ssl_keyfile=/k", "without TLS"),
        ("rediss://u:hunter2@h?ssl_keyfile=", "is empty"),
        ("rediss://u:hunter2@h?ssl_check_hostname=maybe", "neither true nor false"),
        ("rediss://u:hunter2@h?ssl_cert_reqs=never&ssl_password=hunter2", "none of required"),
        ("rediss://u:hunter2@h?ssl_min_version=1.0", "neither 1.2 nor 1.3"),
        ("redis://u:hunter2@h?socket_connect_timeout=0", "seconds"),
        ("redis://u:hunter2@h?socket_connect_timeout=soon", "seconds"),
        ("redis://u:hunter2@hunter2@h", "unescaped"),
        ("redis://u:hunter2#hunter2@h", "unescaped"),
        ("redis://u:hunter2/hunter2@h", "unescaped"),
        ("redis://u:hunter2?hunter2@h", "unescaped"),
        ("redis://u:hunter2@[::1", "cannot be parsed"),
        ("unix://u:hunter2@", "socket is missing"),
    ],
)
def test_a_bad_url_is_refused_with_a_reason_and_without_its_password(url: str, reason: str) -> None:
    with pytest.raises(BadUrlError) as caught:
        parse_url(url)
    assert reason in str(caught.value)
    assert "hunter2" not in f"{caught.value} {caught.value!r} {caught.value.args}"
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None


def test_an_unknown_option_is_answered_with_the_nearest_known_one() -> None:
    with pytest.raises(BadUrlError, match="Did you mean ssl_ca_certs"):
        parse_url("rediss://h?ssl_cacerts=/ca.pem")


def test_an_error_survives_pickling() -> None:
    with pytest.raises(BadUrlError) as caught:
        parse_url("redis://h/x")
    assert str(pickle.loads(pickle.dumps(caught.value))) == str(caught.value)


def test_a_bad_url_is_a_value_error_so_that_settings_can_list_it() -> None:
    with pytest.raises(ValueError, match="unknown scheme"):
        parse_url("amqp://h")


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("redis://h:6379/0", "redis://h:6379/0"),
        ("redis://u:pw@h/1?ssl_keyfile=/k&password=pw", "redis://u:***@h/1?ssl_keyfile=/k&password=***"),
        ("redis://u:pw@h?passwort=pw&pw", "redis://u:***@h?passwort=***&***"),
        ("redis://:pw", "redis://***"),
        ("redis+cluster://h1:1,h2:2", "redis+cluster://h1:1,h2:2"),
        ("redis+cluster://u:pw@h1:1,h2:2", "redis+cluster://u:***@h1:1,h2:2"),
        ("redis+cluster://:pw,h2:2", "redis+cluster://***"),
        (
            "redis+sentinel://h:1/m?sentinel_username=u&sentinel_password=pw",
            "redis+sentinel://h:1/m?sentinel_username=u&sentinel_password=***",
        ),
        ("redis://u:p/w@h", "redis://***"),
        ("pw is here://h", "***"),
        ("hunter2 and more", "***"),
        ("redis.example:6379", "'redis.example:6379'"),
    ],
)
def test_redaction_keeps_what_is_certain_to_be_no_secret(url: str, shown: str) -> None:
    assert redact_url(url) == shown


@given(password=st.text(alphabet=string.ascii_letters + string.digits + string.punctuation, min_size=6, max_size=20))
def test_no_unescaped_password_is_ever_shown(password: str) -> None:
    """People paste passwords into URLs as they are; whatever that makes of the URL, it stays hidden."""
    secret = f"Xq9{password}"
    assert secret not in redact_url(f"redis://user:{secret}@host:6379/0")
    try:
        shown = f"{parse_url(f'redis://user:{secret}@host:6379/0')!r}"
    except BadUrlError as error:
        shown = f"{error} {error!r}"
    assert secret not in shown

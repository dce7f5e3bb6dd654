"""URLs of Sentinel and Cluster: what they mean, and what is shown of those that mean nothing."""

from __future__ import annotations

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bullworks.redis import BadUrlError, Endpoint
from bullworks.redis.group.cluster import Cluster
from bullworks.redis.group.sentinels import Sentinels
from bullworks.redis.group.url import is_group_url, parse_group_url


def test_a_sentinel_url_names_sentinels_service_and_database() -> None:
    group = parse_group_url("redis+sentinel://u:secret@s1:1,s2,s3:3/jobs/2?sentinel_username=w&sentinel_password=watch")
    assert isinstance(group, Sentinels)
    assert [(node.host, node.port) for node in group.nodes] == [("s1", 1), ("s2", 26_379), ("s3", 3)]
    assert {(node.username, node.password, node.db) for node in group.nodes} == {("w", "watch", 0)}
    assert group.service == "jobs"
    assert (group.login.username, group.login.password, group.login.db) == ("u", "secret", 2)
    assert group.describe() == "redis+sentinel://u:***@s1:1,s2:26379,s3:3/jobs/2"


def test_sentinels_that_want_no_login_get_none() -> None:
    """A server's password is not told to whoever watches over it."""
    group = parse_group_url("redis+sentinel://:secret@s1/jobs")
    assert isinstance(group, Sentinels)
    assert (group.nodes[0].username, group.nodes[0].password) == (None, None)


def test_a_cluster_url_names_nodes_to_begin_with() -> None:
    group = parse_group_url("redis+cluster://u:p%40s@n1:1,[::1]:2,n3?socket_connect_timeout=0.5")
    assert isinstance(group, Cluster)
    assert [(node.host, node.port) for node in group.nodes] == [("n1", 1), ("::1", 2), ("n3", 6_379)]
    assert {(node.username, node.password) for node in group.nodes} == {("u", "p@s")}
    assert group.describe() == "redis+cluster://u:***@n1:1,[::1]:2,n3:6379"
    assert Endpoint.of("redis+cluster://n1?socket_connect_timeout=0.5").connect_timeout_ms == 500


@pytest.mark.parametrize("scheme", ["rediss+sentinel", "rediss+cluster", "REDISS+CLUSTER"])
def test_with_tls_all_servers_are_reached_by_it(scheme: str) -> None:
    group = parse_group_url(f"{scheme}://h:1{'/jobs' if 'sentinel' in scheme else ''}?ssl_ca_certs=/ca.pem")
    assert {node.transport for node in group.nodes} == {group.login.transport} == {"tls"}
    assert {dict(node.options)["ssl_ca_certs"] for node in (*group.nodes, group.login)} == {"/ca.pem"}
    assert group.describe().startswith(f"{scheme.lower()}://h:1")


def test_other_schemes_are_for_others_to_read() -> None:
    assert not is_group_url("redis://h")
    assert not is_group_url("redis+sentinel")


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("redis+sentinel://u:hunter2@h:1", "must name a service"),
        ("redis+sentinel://u:hunter2@h:1/", "must name a service"),
        ("redis+sentinel://u:hunter2@h:1/jobs/1/2", "must name a service"),
        ("redis+sentinel://u:hunter2@h:1/jobs/one", "database is not a number"),
        ("redis+sentinel://u:hunter2@h:1/jobs/1?db=2", "two databases"),
        ("redis+sentinel://h:1/jobs?sentinel_password=hunter2&sentinel_password=hunter2", "twice"),
        ("redis+cluster://u:hunter2@h:1/3", "names a database"),
        ("redis+cluster://u:hunter2@h:1?db=1", "names a database"),
        ("redis+cluster://h:1?sentinel_password=hunter2", "unknown option"),
        ("redis+cluster://u:hunter2@h:1,,h:2", "host or port"),
        ("redis+cluster://u:hunter2@", "host or port"),
        ("redis+cluster://u:hunter2@h:six", "host or port"),
        ("redis+cluster://u:hunter2@h:0", "port"),
        ("redis+cluster://u:hunter2@h:1?ssl_keyfile=/k", "without TLS"),
        ("redis+cluster://u:hunter2@hunter2@h:1", "unescaped"),
        ("redis+cluster://u:hunter2#hunter2@h:1", "unescaped"),
        ("redis+cluster://u:hunter2/hunter2@h:1", "unescaped"),
    ],
)
def test_a_bad_url_is_refused_with_a_reason_and_without_its_password(url: str, reason: str) -> None:
    with pytest.raises(BadUrlError) as caught:
        Endpoint.of(url)
    assert reason in str(caught.value)
    assert "hunter2" not in f"{caught.value} {caught.value!r} {caught.value.args}"
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None


@given(password=st.text(alphabet=string.ascii_letters + string.digits + string.punctuation, min_size=6, max_size=20))
def test_no_unescaped_password_is_ever_shown(password: str) -> None:
    secret = f"Xq9{password}"
    for form in (f"redis+cluster://user:{secret}@h1:1,h2:2", f"redis+sentinel://user:{secret}@h1:1,h2:2/jobs"):
        try:
            shown = f"{Endpoint.of(form)!r} {Endpoint.of(form).group!r}"
        except BadUrlError as error:
            shown = f"{error} {error!r}"
        assert secret not in shown

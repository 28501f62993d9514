"""Loopback never goes through a proxy, whatever the environment says.

Python's clients (Prefect's httpx and websockets, requests, urllib) and npm read the same variables.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from ipaddress import ip_address
from urllib.parse import urlsplit

LOOPBACK = ("127.0.0.1", "localhost", "::1")
PROXIES = ("http_proxy", "https_proxy", "all_proxy", "ws_proxy", "wss_proxy", "socks_proxy")


def spare_loopback() -> None:
    """Name loopback in NO_PROXY and no_proxy, of this process and of those it starts."""
    given = os.environ.get("no_proxy") or os.environ.get("NO_PROXY") or ""
    if given.strip() == "*":
        return
    hosts = [host.strip() for host in given.split(",") if host.strip()]
    hosts += [host for host in LOOPBACK if host not in hosts]
    os.environ["no_proxy"] = os.environ["NO_PROXY"] = ",".join(hosts)


def is_loopback(url: str) -> bool:
    """Does the address name this machine by a loopback name?"""
    try:
        host = urlsplit(url).hostname or ""
        return host in LOOPBACK or host.endswith(".localhost") or ip_address(host).is_loopback
    except ValueError:
        return False


@contextmanager
def direct(url: str) -> Iterator[None]:
    """No proxy variable at all while we speak with a loopback server; others keep theirs.

    NO_PROXY alone is not enough: httpx makes a client for every proxy that is named, and fails on
    one it cannot speak to (SOCKS without its package), though no request would use it.
    """
    if not is_loopback(url):
        yield
        return
    set_aside = {name: os.environ[name] for name in list(os.environ) if name.lower() in PROXIES}
    for name in set_aside:
        del os.environ[name]
    try:
        yield
    finally:
        os.environ.update(set_aside)

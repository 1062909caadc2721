"""A name server on this machine for the DNS queries of `doctor`."""

from collections.abc import Iterator

import pytest

from support.dns_server import Zone, run_dns_server


@pytest.fixture
def zone() -> Iterator[Zone]:
    with run_dns_server() as server:
        yield server

"""A certificate for localhost, which no authority knows, and how to trust it.

It was made once, valid for a century, with: openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1
-nodes -days 36500 -subj /CN=localhost -addext subjectAltName=DNS:localhost,IP:127.0.0.1
"""

import ssl
from pathlib import Path

import pytest

LOCALHOST = Path(__file__).with_name("localhost.pem")


@pytest.fixture
def create_server_context() -> ssl.SSLContext:
    """What a server needs to be localhost."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(LOCALHOST)
    return context


@pytest.fixture
def create_client_context() -> ssl.SSLContext:
    """What a client needs to believe it; all other checks stay on."""
    return ssl.create_default_context(cafile=str(LOCALHOST))

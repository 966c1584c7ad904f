# Loaded by Python before azure-cli: names below .localhost are this machine (RFC 6761), which the resolver of a bare Debian
# does not know.
import socket

_lookup = socket.getaddrinfo


def _loopback(host, *rest, **named):
    name = host.decode() if isinstance(host, bytes) else host
    own = isinstance(name, str) and name.lower().endswith('.localhost')
    return _lookup('127.0.0.1' if own else host, *rest, **named)


socket.getaddrinfo = _loopback

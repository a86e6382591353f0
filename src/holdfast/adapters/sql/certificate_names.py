"""Whether a certificate is for a host: by its subject alternative names, never by its common name (RFC 9525)."""

from __future__ import annotations

from ipaddress import ip_address

from cryptography import x509


def is_for(certificate: x509.Certificate, host: str) -> bool:
    """Whether one of the certificate's names is `host`, or a wildcard for its left-most label."""
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (x509.ExtensionNotFound, ValueError):
        return False
    try:
        return ip_address(host) in names.get_values_for_type(x509.IPAddress)
    except ValueError:
        pass
    wanted = host.rstrip(".").lower()
    return any(_means(name.lower(), wanted) for name in names.get_values_for_type(x509.DNSName))


def _means(name: str, host: str) -> bool:
    if "*" not in name:
        return name == host
    star, _, parent = name.partition(".")
    label, _, rest = host.partition(".")
    # A star stands for one whole label, and not right below a top-level domain.
    return star == "*" and "*" not in parent and "." in parent and bool(label) and rest == parent

"""Why a probe was not simply `up`: the closed list of error classes, and what libcurl's codes mean in it."""

from __future__ import annotations

import errno
from enum import StrEnum
from typing import NamedTuple

import pycurl

from probes.messages import Outcome


class ErrorClass(StrEnum):
    """The class of a failure, with what it means in one line."""

    meaning: str

    def __new__(cls, value: str, meaning: str) -> ErrorClass:
        member = str.__new__(cls, value)
        member._value_ = value
        member.meaning = meaning
        return member

    DNS = "dns", "The host name did not resolve."
    DNS_NXDOMAIN = "dns_nxdomain", "The name server says that the name does not exist."
    DNS_SERVFAIL = "dns_servfail", "The name server could not find out."
    DNS_REFUSED = "dns_refused", "The name server refused the question, or did not understand it."
    DNS_EMPTY = "dns_empty", "The name exists, but has no record of that type."
    DNS_MISMATCH = "dns_mismatch", "No record has the expected value."
    REFUSED = "refused", "The connection, or the datagram, was refused."
    CONNECT_TIMEOUT = "connect_timeout", "No connection before the deadline."
    UNREACHABLE = "unreachable", "There is no route to the address."
    RESET = "reset", "The connection was closed before the answer was complete."
    TIMEOUT = "timeout", "The answer was not complete before the deadline."
    TLS = "tls", "The TLS handshake failed."
    CERT_EXPIRED = "cert_expired", "The certificate, or one that signed it, has expired."
    CERT_INVALID = "cert_invalid", "The certificate is not trusted, or not for this host."
    CERT_EXPIRING = "cert_expiring", "All is well, but a certificate expires within the days to warn of."
    PROTOCOL = "protocol", "The answer is not valid in its protocol, or of another version than asked for."
    HTTP_4XX = "http_4xx", "The status is a client error, and not the expected one."
    HTTP_5XX = "http_5xx", "The status is a server error, and not the expected one."
    HTTP_STATUS = "http_status", "The status is not the expected one."
    BODY_MISMATCH = (
        "body_mismatch",
        "The body does not contain the expected text, or contains the forbidden one.",
    )
    TOO_LARGE = (
        "too_large",
        "Headers or certificate are too long, or the expected text is not in the part that is read.",
    )
    LATENCY = "latency", "The answer is as expected, but came later than the limit."
    LATENCY_WARNING = "latency_warning", "All is well, but it took longer than the latency to warn of."
    REDIRECT = "redirect", "Too many redirects, or one to a URL that cannot be probed."
    BLOCKED = "blocked", "Policy refuses the address; nothing was sent."
    LATE = "late", "The probe's turn came too late, and it was not run."
    REGION_SICK = "region_sick", "The probe failed, but the region cannot see its canaries either."
    OVERDUE = "overdue", "No ping came in time."
    REPORTED_FAILURE = "reported_failure", "The job itself said that it failed."
    INTERNAL = "internal", "The region could not measure, through no fault of the target."

    @property
    def outcome(self) -> Outcome:
        """What a probe that ended so reports."""
        return NOT_DOWN.get(self, "down")


class Fault(NamedTuple):
    """Why a probe is not simply up: the class, and a sentence for people."""

    error_class: ErrorClass
    error: str


def blocked(address: str) -> Fault:
    """Policy refuses `address`, which is numeric."""
    return Fault(ErrorClass.BLOCKED, f"{address} is not an address that may be connected to")


NOT_DOWN: dict[ErrorClass, Outcome] = {
    ErrorClass.CERT_EXPIRING: "up",
    ErrorClass.LATENCY_WARNING: "up",
    ErrorClass.BLOCKED: "error",
    ErrorClass.REGION_SICK: "error",
    ErrorClass.INTERNAL: "error",
    ErrorClass.LATE: "missed",
}

# Without names in pycurl 7.49: see libcurl-errors(3).
E_HTTP2_STREAM, E_HTTP3, E_QUIC_CONNECT, E_TOO_LARGE = 92, 95, 96, 100

CURL_CODES: dict[int, ErrorClass] = {  # what needs more than the code is in probes.curl
    pycurl.E_UNSUPPORTED_PROTOCOL: ErrorClass.PROTOCOL,
    pycurl.E_COULDNT_RESOLVE_HOST: ErrorClass.DNS,
    pycurl.E_FTP_WEIRD_SERVER_REPLY: ErrorClass.PROTOCOL,
    pycurl.E_HTTP2: ErrorClass.PROTOCOL,
    pycurl.E_PARTIAL_FILE: ErrorClass.RESET,
    pycurl.E_WRITE_ERROR: ErrorClass.TOO_LARGE,
    pycurl.E_OUT_OF_MEMORY: ErrorClass.TOO_LARGE,  # of what libcurl holds: a certificate of 100 KB as text
    pycurl.E_SSL_CONNECT_ERROR: ErrorClass.TLS,
    pycurl.E_GOT_NOTHING: ErrorClass.RESET,
    pycurl.E_SEND_ERROR: ErrorClass.RESET,
    pycurl.E_RECV_ERROR: ErrorClass.RESET,
    pycurl.E_SSL_CIPHER: ErrorClass.TLS,
    pycurl.E_USE_SSL_FAILED: ErrorClass.TLS,  # no STARTTLS
    pycurl.E_BAD_CONTENT_ENCODING: ErrorClass.PROTOCOL,
    pycurl.E_SSL_ISSUER_ERROR: ErrorClass.CERT_INVALID,
    E_HTTP2_STREAM: ErrorClass.PROTOCOL,
    E_HTTP3: ErrorClass.PROTOCOL,
    E_QUIC_CONNECT: ErrorClass.TLS,
    E_TOO_LARGE: ErrorClass.TOO_LARGE,
}

CONNECT_ERRNOS: dict[int, ErrorClass] = {
    errno.ECONNREFUSED: ErrorClass.REFUSED,
    errno.ECONNRESET: ErrorClass.RESET,
    errno.EPIPE: ErrorClass.RESET,  # it was closed before anything was sent
    errno.ETIMEDOUT: ErrorClass.CONNECT_TIMEOUT,
    errno.EADDRNOTAVAIL: ErrorClass.INTERNAL,  # our ports have run out
    errno.EACCES: ErrorClass.INTERNAL,  # a firewall of our own
    errno.EPERM: ErrorClass.INTERNAL,
}
"""What a failed connect(2) means; any other errno is `unreachable`."""

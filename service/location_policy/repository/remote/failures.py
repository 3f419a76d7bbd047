"""Why a remote could not be read: what git and ssh say, in a sentence, of a kind, and with what to do.

git says the same last line of every failure of ssh ("and the repository exists."), so all that it says is looked at.
The shapes are those of git 2.39 to 2.51, curl and OpenSSH in the locale C, in which they are run.
"""

from __future__ import annotations

import re
from shlex import quote
from typing import Literal, NamedTuple
from urllib.parse import urlsplit

from ...errors import RepositoryError
from ...text import escape, shorten, without_secrets

Kind = Literal[
    "credentials",
    "right",
    "not-found",
    "name",
    "refused",
    "timeout",
    "network",
    "proxy",
    "tls-name",
    "tls-ca",
    "tls-expired",
    "tls",
    "host-key-unknown",
    "host-key-changed",
    "ssh-key",
    "rate-limit",
    "server",
    "algorithm",
    "branch",
    "upstream",
    "disk",
    "local",
    "remote",
]
"""The kind of a failure: `upstream` is of a service that is followed, which tells nothing that can be taken.

`local` is of the copy, `disk` of where it is, `remote` none of the others."""


class RemoteError(RepositoryError):
    """A remote could not be read; `kind` says of which kind that is."""

    def __init__(self, kind: Kind, message: str, hint: str | None = None) -> None:
        super().__init__(message, hint)
        self.kind = kind


class _Shape(NamedTuple):
    """What is found in what git says, the sentence for it (None: the line itself), and what to do.

    `{server}` stands for host and port.
    """

    pattern: str
    kind: Kind
    sentence: str | None
    hint: str | None


_TOKEN = "see --git-credentials: is the token still valid, and may it read the repository?"
_FILE = "see the path: is it mounted, and may the user of the service read it?"
_SHAPES = (
    _Shape(
        r"REMOTE HOST IDENTIFICATION HAS CHANGED",
        "host-key-changed",
        "the host key of the remote is another one than before",
        "ask who runs it whether that is meant; only then replace the old one in the file of known hosts",
    ),
    _Shape(
        r"(No \S+ host key is known for|Host key verification failed)",
        "host-key-unknown",
        "the host key of the remote is not known",
        "compare it with what its administrator says, and put it into --git-known-hosts",
    ),
    _Shape(
        r"No user exists for uid",
        "ssh-key",
        "ssh does not run for a user without a name",
        "run it as a user that the system knows: in our image 10001",
    ),
    _Shape(
        r"UNPROTECTED PRIVATE KEY FILE",
        "ssh-key",
        "ssh takes no key that others may read",
        "chmod 600, or let a group read it that its owner is not in",
    ),
    _Shape(
        r"(Permission denied \(.*publickey|Too many authentication failures|Load key .*: |no mutual signature)",
        "ssh-key",
        "the remote does not take the key",
        "is its public half a deploy key of the repository? --git-ssh-key FILE names the private one",
    ),
    _Shape(
        r"no matching (host key type|key exchange method|cipher|MAC) found",
        "algorithm",
        "ssh and the remote share no algorithm",
        "the server is too old for this ssh, or too strict: ask who runs it",
    ),
    _Shape(
        r"(error: 407\b|Proxy CONNECT aborted|from proxy after CONNECT|CONNECT tunnel failed)",
        "proxy",
        "the proxy rejects",
        "user and password of the proxy go into --git-credentials, in a line http://user:password@proxy:port",
    ),
    _Shape(
        r"Could not resolve proxy", "proxy", "the name of the proxy is not known", "see --git-proxy and https_proxy"
    ),
    _Shape(
        r"(error: 429\b|Too Many Requests)",
        "rate-limit",
        "the remote is asked too often",
        "it is asked more rarely now",
    ),
    _Shape(
        r"(Authentication failed for|could not read (Username|Password)|error: 401\b|HTTP Basic: Access denied)",
        "credentials",
        "the remote wants a user and a password, or those that it got are wrong",
        _TOKEN,
    ),
    _Shape(r"error: 403\b", "right", "the remote knows who asks, and does not let that user read", _TOKEN),
    _Shape(
        r"repository '.*' not found|error: 404\b|Repository not found|ERROR: .*not.found"
        r"|does not appear to be a git repository|could not be found|you don't have permission to view it"
        r"|DENIED by fallthru",
        "not-found",
        "the remote has no such repository, or does not show it to who asks",
        "see the path; GitHub and others say so too where a right is missing: see the token or the deploy key",
    ),
    _Shape(
        r"(subject name .* does not match|no alternative certificate subject name matches|hostname mismatch)",
        "tls-name",
        "the certificate is for another name",
        "name the remote as its certificate does",
    ),
    _Shape(
        r"certificate has expired",
        "tls-expired",
        "the certificate of the remote has expired",
        "renew it there; is the clock here right?",
    ),
    _Shape(
        r"(server certificate verification failed|unable to get local issuer|self[- ]signed certificate"
        r"|SSL certificate problem|Problem with the SSL CA cert|error setting certificate (verify )?(file|locations))",
        "tls-ca",
        "the certificate of the remote is not signed by a CA that is trusted here, or has expired",
        "--git-ca FILE names the certificate of its CA, PEM; see its dates: openssl s_client -connect {server}"
        " </dev/null | openssl x509 -noout -dates",
    ),
    _Shape(
        r"(gnutls_handshake|SSL_ERROR|SSL routines|TLS connect|wrong version number)",
        "tls",
        "TLS fails",
        "is it https that the remote speaks at this port?",
    ),
    _Shape(
        r"Could not resolve host",
        "name",
        "the name of the remote is not known",
        "see the URL, and the name service of this machine",
    ),
    _Shape(
        r"([Oo]peration timed out|[Cc]onnection timed out|Timeout was reached|timed out after|too slow"
        r"|no byte came|no end after)",
        "timeout",
        "the remote does not answer in time",
        "is there a firewall in between, or does it want a proxy (--git-proxy)?",
    ),
    _Shape(
        r"([Cc]onnection refused|[Cc]ouldn't connect to server|Failed to connect)",
        "refused",
        "nothing answers there",
        "see host and port of the URL; is the server running?",
    ),
    _Shape(r"(No route to host|Network is unreachable)", "network", None, "see the network of this machine"),
    _Shape(r"mismatched algorithms", "algorithm", "the copy has another object format than the remote", None),
    _Shape(
        r"not as git does|not valid: is this a git repository",
        "server",
        None,
        "is it the URL of a repository, as git clone takes it, or does the remote want a user and a password?",
    ),
    _Shape(r"redirect", "not-found", "the remote sends to another place", "write the URL that it sends to"),
    _Shape(
        r"error: 5\d\d\b",
        "server",
        None,
        "the fault is the server's: see its status page or its log",
    ),
    _Shape(r"error: \d\d\d\b", "server", None, "is it the URL of a repository, as git clone takes it?"),
    _Shape(
        r"(fsck error|object [0-9a-f]{40,64}: \w+: )",
        "remote",
        "its history has what git takes for unsafe",
        "git fsck in a clone of it says where: it has to go from the branch",
    ),
    _Shape(
        r"pack-objects died",
        "server",
        "the server cannot give its history",
        "the fault is the server's: see its log, and git fsck in the repository there",
    ),
    _Shape(
        r"[Oo]ut of memory|memory exhausted",
        "remote",
        "it gives more than git may hold in memory",
        "see how many branches, and how large files, it has: one git here may take 512 MB",
    ),
    _Shape(
        r"kex_exchange_identification|banner exchange",
        "network",
        "no ssh comes about",
        "is it ssh that the remote speaks at this port, and does it let this machine in?",
    ),
    _Shape(
        r"(early EOF|unexpected disconnect|RPC failed|the remote end hung up|Connection reset|Connection closed"
        r"|transfer closed|Empty reply|Recv failure|Broken pipe|invalid index-pack output)",
        "network",
        "the connection was cut",
        "is there a limit of time or size in between?",
    ),
)
_NOISE = re.compile(
    r"(fatal: Could not read from remote repository\.|Please make sure you have|and the repository exists\."
    r"|@+|Warning: Permanently added|hint: |\s*$)"
)
_ACCESS = re.compile(r"unable to access '[^']*': ")
"""How git says the URL once more."""
_URL = re.compile(r"[a-z+]+://[^\s'\"]+")
MOST = 65_536
"""Characters of what git says that are looked at."""


def explain(url: str, stderr: str) -> RemoteError | None:
    """What git says when it cannot read a remote, as a sentence; None where it is of no kind that is known.

    `url` is shown, without what is secret in it. What git has said is told too, where the sentence is not that itself.
    """
    text = stderr[:MOST]
    for shape in _SHAPES:
        if re.search(shape.pattern, text):
            said = re.sub(rf"( for)? '{re.escape(url)}/?'", "", _ACCESS.sub("", first_line(text))).rstrip(".")
            message = f"{shape.sentence}: {said}" if shape.sentence else said
            hint = _FILE if shape.kind == "not-found" and url.startswith("file:") else shape.hint
            hint = hint and hint.replace("{server}", _server(url))
            return RemoteError(shape.kind, f"{without_secrets(url)}: {message}", hint)
    return None


def _server(url: str) -> str:
    """Host and port of a URL of https, for a shell."""
    place = urlsplit(url).netloc.rpartition("@")[2]
    return quote(place if re.search(r":\d+$", place) else f"{place}:443")


def first_line(stderr: str) -> str:
    """The line that says most: the first of git, of the forge or of ssh that is not the same for every failure."""
    lines = [line for line in stderr[:MOST].splitlines() if not _NOISE.match(line)]
    own = [line for line in lines if line.startswith(("fatal:", "ERROR:", "remote:", "ssh:", "error:"))]
    line = (own or lines or ["it says nothing"])[0]
    for start in ("fatal: ", "remote: ", "error: ", "ssh: ", "ERROR: "):
        line = line.removeprefix(start)
    return escape(shorten(_URL.sub(lambda found: without_secrets(found[0]), line)))

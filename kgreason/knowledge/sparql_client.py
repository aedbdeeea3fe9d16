"""One SPARQL 1.1 endpoint over HTTP: bounded in time, in size, in tries and in where it may lead."""

import json
import os
import ssl
import time
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any, Literal, TypeAlias, final, get_args
from urllib.parse import urlencode, urljoin, urlsplit
from urllib.request import getproxies, proxy_bypass

import urllib3

from kgreason.errors import ConfigError, StoreError
from kgreason.knowledge.sparql_terms import Term, read_row

Auth: TypeAlias = Literal["none", "basic", "bearer"]
Row: TypeAlias = tuple[Term | None, ...]

_LOOPBACK = ("localhost", "127.0.0.1", "::1")
_MOVED, _BUSY = (301, 302, 303, 307, 308), (429, 502, 503, 504)
_MOST_MOVES, _CHUNK = 3, 2**16
#: The longest that a server may make us wait before the next try, in seconds.
_MOST_WAIT = 60.0


class TooMuchError(StoreError):
    """The endpoint gave up, or gave more than was allowed: a smaller question may do."""


@final
@dataclass(frozen=True, slots=True)
class Access:
    """How an endpoint is spoken to: the table `access` of a section `[knowledge]`.

    Args:
        auth: `none`, `basic` or `bearer`.
        secret: The environment variable with `user:password` (basic) or the token (bearer). Neither is ever written to
            a file of kgreason, and neither is sent over plain HTTP, except to this machine.
        timeout: Seconds for one answer, from the first byte sent to the last received.
        retries: How often a question is put again when the endpoint is busy or away.
        wait: Seconds before the second try; twice as many before each further one. `Retry-After` is heeded.
        most_bytes: The size of the largest answer that is read, unpacked.
        parallel: How many questions are under way at once.

    Raises:
        ConfigError: If a number is out of range, or the kind of `auth` is not known.
    """

    auth: str = "none"
    secret: str = "KGREASON_SPARQL"  # the name of a variable, not a secret
    timeout: float = 60.0
    retries: int = 4
    wait: float = 0.5
    most_bytes: int = 2**28
    parallel: int = 4

    def __post_init__(self) -> None:
        if self.auth not in get_args(Auth):
            raise ConfigError(f"[knowledge] access: auth = '{self.auth}' is none of {', '.join(get_args(Auth))}.")
        for name, least in (("timeout", 1e-3), ("retries", 0), ("wait", 0), ("most_bytes", 1), ("parallel", 1)):
            if getattr(self, name) < least:
                raise ConfigError(f"[knowledge] access: {name} = {getattr(self, name)}, expected at least {least}.")

    def header(self) -> dict[str, str]:
        """Return the header that says who asks.

        Raises:
            ConfigError: If the variable is not set, or is not of the form that is needed.
        """
        if self.auth == "none":
            return {}
        found = os.environ.get(self.secret, "")
        if not found or (self.auth == "basic" and ":" not in found) or not found.isprintable():
            form = "user:password" if self.auth == "basic" else "the token"
            raise ConfigError(f"The endpoint asks who you are: set the environment variable {self.secret} to {form}.")
        if self.auth == "bearer":
            return {"Authorization": f"Bearer {found}"}
        return {"Authorization": urllib3.make_headers(basic_auth=found)["authorization"]}


_ACCESS = Access()


@final
class Client:
    """Puts SELECT queries to one endpoint. May be used by several threads at once.

    Args:
        endpoint: Its address: `https://host/sparql`.
        graph: The named graph to ask; empty for the endpoint's default.
        access: How to speak to it.

    Raises:
        ConfigError: If the address is none, or a secret would travel in the clear.
    """

    def __init__(self, endpoint: str, graph: str = "", access: Access = _ACCESS) -> None:
        self.endpoint, self.graph, self.access = endpoint, graph, access
        _check(endpoint, access)
        self._headers = {
            "Accept": "application/sparql-results+json, application/json;q=0.5",
            "Accept-Encoding": "gzip",
            "Content-Type": "application/x-www-form-urlencoded",
            "User-Agent": f"kgreason/{version('kgreason')}",
            **access.header(),
        }
        self._pool = _pool(endpoint, access)

    def select(self, query: str) -> list[Row]:
        """Return the rows of an answer, terms in the order of the query's variables.

        Raises:
            TooMuchError: If it takes too long, or is too large, or the endpoint breaks off.
            StoreError: If the endpoint cannot be reached, refuses, leads elsewhere, or does not speak SPARQL.
        """
        form = {"query": query} | ({"default-graph-uri": self.graph} if self.graph else {})
        body = urlencode(form).encode()
        wait = self.access.wait
        for tries_left in range(self.access.retries, -1, -1):
            try:
                return self._once(body)
            except _AgainError as error:
                if not tries_left:
                    raise error.last(
                        f"{self.endpoint} {error}, {self.access.retries + 1} times in a row. Is it the right address, "
                        "and is the server up? Trying less often helps with one that is busy."
                    ) from None
                time.sleep(min(max(wait, error.wait), _MOST_WAIT))
                wait *= 2
        raise AssertionError  # pragma: no cover - the last try returns or raises

    def _once(self, body: bytes) -> list[Row]:
        url, deadline = self.endpoint, time.monotonic() + self.access.timeout
        for _ in range(_MOST_MOVES + 1):
            answer = self._post(url, body)
            if answer.status not in _MOVED:
                return self._rows(answer, deadline)
            url = self._next(url, answer)
        raise StoreError(f"{self.endpoint} led on more than {_MOST_MOVES} times. Give the address it ends at.")

    def _post(self, url: str, body: bytes) -> urllib3.BaseHTTPResponse:
        try:
            return self._pool.request(
                "POST", url, body=body, headers=self._headers, preload_content=False, redirect=False, retries=False
            )
        except urllib3.exceptions.SSLError as error:
            raise StoreError(f"{url}: its certificate is not trusted here: {error}.") from None
        except urllib3.exceptions.ReadTimeoutError:
            raise self._late() from None
        except (urllib3.exceptions.HTTPError, ssl.SSLError, OSError) as error:
            raise _AgainError(f"could not be reached ({_short(error)})") from None

    def _next(self, url: str, answer: urllib3.BaseHTTPResponse) -> str:
        """Return where a redirect leads, if that is the same server."""
        onward = urljoin(url, answer.headers.get("Location", ""))
        answer.drain_conn()
        old, new = urlsplit(url), urlsplit(onward)
        same = (old.scheme, old.hostname, old.port) == (new.scheme, new.hostname, new.port)
        upgraded = (old.scheme, new.scheme, old.port, new.port) == ("http", "https", None, None)
        if not same and not (upgraded and old.hostname == new.hostname):
            raise StoreError(
                f"{self.endpoint} leads to another server, {new.scheme}://{new.netloc}, which is not followed: the "
                "question (and your password) would go there. If that is right, give its address."
            )
        return onward

    def _rows(self, answer: urllib3.BaseHTTPResponse, deadline: float) -> list[Row]:
        content = self._read(answer, deadline)
        if answer.status in _BUSY:
            wait = _seconds(answer.headers.get("Retry-After", ""))
            raise _AgainError(f"was busy ({answer.status})", wait, StoreError if answer.status == 429 else TooMuchError)
        if answer.status in (401, 403):
            raise StoreError(
                f"{self.endpoint} does not let you in ({answer.status}). Say who you are with: "
                'access = { auth = "basic", secret = "VARIABLE" }'
            )
        said = " ".join(content[:400].decode("utf-8", "replace").split())
        if answer.status >= 500:
            raise TooMuchError(f"{self.endpoint} failed ({answer.status}): {said}")
        if answer.status != 200:
            raise StoreError(f"{self.endpoint} refused a question ({answer.status}): {said}")
        if answer.headers.get("X-SQL-State"):  # Virtuoso: out of time, and what was found so far is given as if all
            raise TooMuchError(f"{self.endpoint} gave a part only: {answer.headers.get('X-SQL-Message', 'time is up')}")
        return _parsed(content, self.endpoint, answer.headers.get("Content-Type", "nothing"))

    def _read(self, answer: urllib3.BaseHTTPResponse, deadline: float) -> bytes:
        parts, size = [], 0
        try:
            for part in answer.stream(_CHUNK, decode_content=True):
                size += len(part)
                if size > self.access.most_bytes:
                    answer.close()
                    raise TooMuchError(f"{self.endpoint} gave an answer of more than {self.access.most_bytes} bytes.")
                if time.monotonic() > deadline:
                    answer.close()
                    raise self._late()
                parts.append(part)
        except urllib3.exceptions.ReadTimeoutError:
            answer.close()
            raise self._late() from None
        except (urllib3.exceptions.HTTPError, OSError) as error:
            answer.close()
            raise _AgainError(f"broke off an answer ({_short(error)})") from None
        answer.release_conn()
        return b"".join(parts)

    def _late(self) -> TooMuchError:
        return TooMuchError(
            f"{self.endpoint} took more than {self.access.timeout:g} s for an answer. Give it more time with: "
            "access = { timeout = 300 }"
        )


class _AgainError(Exception):
    """What may go away by itself, how long the endpoint asks to be left alone, and what it is if it does not."""

    def __init__(self, said: str, wait: float = 0.0, last: type[StoreError] = StoreError) -> None:
        super().__init__(said)
        self.wait, self.last = wait, last


def _check(endpoint: str, access: Access) -> None:
    parts = urlsplit(endpoint)
    if parts.scheme not in ("http", "https") or not parts.hostname or not endpoint.isprintable() or " " in endpoint:
        raise ConfigError(f"endpoint = '{endpoint}' is not the address of one; expected such as https://host/sparql.")
    if parts.username or parts.password:
        raise ConfigError(
            f"endpoint = 'https://…@{parts.hostname}…' holds a password. Put it into the environment variable "
            f'{access.secret} as user:password, and write: access = {{ auth = "basic" }}'
        )
    if access.auth != "none" and parts.scheme != "https" and parts.hostname not in _LOOPBACK:
        raise ConfigError(f"{endpoint} is not https: anybody on the way could read your password. Use https.")


def _pool(endpoint: str, access: Access) -> urllib3.PoolManager:
    parts = urlsplit(endpoint)
    timeout = urllib3.Timeout(connect=min(10.0, access.timeout), read=access.timeout)
    proxy = getproxies().get(parts.scheme, "")
    host = parts.hostname or ""
    if proxy and host not in _LOOPBACK and not proxy_bypass(host):
        return urllib3.ProxyManager(proxy, maxsize=access.parallel, block=True, timeout=timeout)
    return urllib3.PoolManager(maxsize=access.parallel, block=True, timeout=timeout)


def _seconds(said: str) -> float:
    return float(said) if said.isascii() and said.isdigit() else 0.0


def _short(error: BaseException) -> str:
    cause = error.__cause__ or error.__context__ or error
    return " ".join(str(cause).split())[:200] or type(error).__name__


def _parsed(content: bytes, endpoint: str, kind: str) -> list[Row]:
    try:
        answer: Any = json.loads(content)
        names, bindings = answer["head"]["vars"], answer["results"]["bindings"]
        return [read_row(names, binding) for binding in bindings]
    except (ValueError, KeyError, TypeError, RecursionError):
        raise StoreError(
            f"{endpoint} answers with {kind.partition(';')[0]} that is no SPARQL result. Is this the address of the "
            "endpoint itself (often …/sparql or …/query), and does the server speak SPARQL 1.1 JSON?"
        ) from None

"""Who asks, where our own proxies stand before us: limits are by address, and theirs would be everybody's."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

Application = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]
FORWARDED_FOR = "HTTP_X_FORWARDED_FOR"


class BehindProxies:
    """Takes the address from `X-Forwarded-For`, to which each of `proxies` has added whom it was asked by.

    What stands further left was there before, and anybody may have written it. With fewer entries than
    proxies the request took another way: then the address is the connection's.
    """

    def __init__(self, application: Application, proxies: int) -> None:
        self._application = application
        self._proxies = proxies

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        added = [each.strip() for each in environ.get(FORWARDED_FOR, "").split(",")]
        if 0 < self._proxies <= len(added) and added[-self._proxies]:
            environ["REMOTE_ADDR"] = added[-self._proxies]
        return self._application(environ, start_response)

"""What there is to sync: the data behind SYNC_SOURCE_URL."""

import logging

import httpx

from app.modules.sync.errors import SyncSourceError

# httpx logs every URL, in which a key may be.
logging.getLogger("httpx").setLevel(logging.WARNING)

_MOST_BYTES = 8 * 1024 * 1024


async def fetch(url: str, *, timeout_s: float) -> bytes:
    """Fetch the source's present data, at most 8 MiB.

    Raises:
        SyncSourceError: it could not be had.
    """
    host = httpx.URL(url).host
    body = bytearray()
    try:
        async with httpx.AsyncClient(timeout=timeout_s) as client, client.stream("GET", url) as answer:
            if answer.status_code != httpx.codes.OK:
                raise SyncSourceError(host, f"it answered {answer.status_code}")
            async for chunk in answer.aiter_bytes():
                body += chunk
                if len(body) > _MOST_BYTES:
                    raise SyncSourceError(host, f"its answer is longer than {_MOST_BYTES} bytes")
    except httpx.HTTPError as error:
        # Its text may hold the URL.
        raise SyncSourceError(host, type(error).__name__) from None
    return bytes(body)

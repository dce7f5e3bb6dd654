"""JobTokens: a signed token allows its bearer to look at one job, for a while."""

import hmac
from base64 import urlsafe_b64encode
from hashlib import sha256

# Signatures of other programs that share the secret are none of ours.
_PURPOSE = "bullworks:job"


class JobTokens:
    """Issues and checks tokens: when one ends, and an HMAC-SHA256 over that and the job.

    Args:
        secret: the key; all processes that check tokens need the same.
        life_ms: how long a token is good for, ms.
    """

    def __init__(self, secret: str, life_ms: int) -> None:
        self._key = secret.encode()
        self._life_ms = life_ms

    def issue(self, queue: str, job_id: str, now_ms: int) -> str:
        """Issue a token for a job of a queue, as in `1764000000000.qL5...`."""
        ends_ms = now_ms + self._life_ms
        return f"{ends_ms}.{self._signature(queue, job_id, ends_ms)}"

    def admits(self, token: str, queue: str, job_id: str, now_ms: int) -> bool:
        """Whether a token is of this job, and still good."""
        ends, _, signature = token.partition(".")
        if not (ends.isascii() and ends.isdigit() and len(ends) <= len(str(2**53))):
            return False
        ends_ms = int(ends)
        expected = self._signature(queue, job_id, ends_ms)
        is_signed = hmac.compare_digest(expected.encode(), signature.encode("utf-8", "replace"))
        return is_signed and now_ms < ends_ms

    def _signature(self, queue: str, job_id: str, ends_ms: int) -> str:
        # with the length of each part, so that no two lists of parts are one text
        parts = (_PURPOSE, queue, job_id, str(ends_ms))
        signed = "".join(f"{len(part)}:{part}" for part in parts)
        digest = hmac.digest(self._key, signed.encode("utf-8", "replace"), sha256)
        return urlsafe_b64encode(digest).decode().rstrip("=")

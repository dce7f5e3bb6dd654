"""Errors that are one error: what differs from job to job, such as numbers, ids and quoted texts, is folded."""

import hashlib
import re
from functools import lru_cache

LONGEST_CHARS = 300
"""Of a reason: what comes after says no more about what kind of error it is."""
NO_REASON = "(no reason)"

_READ_CHARS = 2 * LONGEST_CHARS
"""What is looked at: white space counts less."""

# Every repetition is bounded or of characters that what follows cannot begin with, so time grows with the length only.
# The order matters: the first that fits at a place is taken.
_PARTS = re.compile(
    r"""
    (?=\d|\b\w|["'`:\[])  # at most places nothing can begin, which is seen at once
    (?:(?P<kept>  # what tells one kind of error from another though it is a number, or quoted
        (?i:\b(?:status(?:[ ]code)?|errno|exit(?:[ ]code|[ ]status)?|http(?:[ ]error)?|code)[ :=]{0,3}\d{1,5}\b)
      | \b[45]\d\d[ ](?:Client|Server)[ ]Error\b
      | \b(?:E|P|TS|ORA-)\d{4,5}\b
      | (?i:\b(?:reading|setting|attribute|property|argument|module|named|name|constraint|relation|table|column|index
            |function|method|key|field|command|type)[ ]{1,2}\(?)
        (?:'[A-Za-z_$][\w$./@-]{0,80}'|"[A-Za-z_$][\w$./@-]{0,80}")
      | '[A-Za-z_][A-Za-z_.]{0,60}'(?=[ ]object\b)
      | `[A-Za-z_$][A-Za-z_$.()]{0,80}`
    )
  | (?P<time>\b\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:[.,]\d{1,9})?)?(?:Z|[+-]\d\d:?\d\d)?)?)
  | (?P<mail>\b\w[\w.+%-]{0,63}@[\w-]{1,63}(?:\.[\w-]{1,63}){0,8}\.[A-Za-z]{2,24}\b)
  | (?P<host>\b\d{1,3}(?:\.\d{1,3}){3}(?::\d{1,5})?\b
      | \[[0-9a-fA-F:.]{2,45}(?:%\w{1,20})?\](?::\d{1,5})?
      | (?<![\w:])[0-9a-fA-F]{0,4}(?::[0-9a-fA-F]{0,4}){3,7}(?![\w:]))
  | (?P<id>\b0x[0-9a-fA-F]{2,64}\b
      | \b[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\b
      | \b(?=[A-Fa-f]*\d)(?=\d*[A-Fa-f])[0-9a-fA-F]{8,}\b
      | \b(?=[A-Za-z_]*\d)(?=\d*[A-Za-z_])\w{12,}\b)
  | (?P<text>"[^"]{1,200}"|`[^`]{1,200}`|(?<!\w)'[^']{1,200}'(?!\w))
  | (?P<number>\d+(?:[.,:]\d+)*))
    """,
    re.VERBOSE,
)
# None is longer than the shortest that it stands for: folding again changes nothing then, as nothing is cut.
_PLACEHOLDERS = {"time": "<time>", "mail": "<mail>", "host": "<host>", "id": "<id>", "text": '"…"', "number": "#"}


@lru_cache(maxsize=2048)
def fold(reason: str) -> str:
    """Strip ids, numbers and the like from a failure reason, to LONGEST_CHARS; equal results form one group."""
    text = " ".join(reason[:_READ_CHARS].split())[:LONGEST_CHARS].strip()
    # What was folded may complete what stands beside it. Each time less is left to fold, so this ends.
    for _ in range(LONGEST_CHARS):
        shorter = _PARTS.sub(_placeholder, text)
        if shorter == text:
            break
        text = shorter
    return text or NO_REASON


def group_id(error: str) -> str:
    """Derive the short id of a failure group, for use in URLs."""
    return hashlib.sha256(error.encode("utf-8", "replace")).hexdigest()[:16]


def _placeholder(found: re.Match[str]) -> str:
    kind = found.lastgroup or "kept"
    return _PLACEHOLDERS.get(kind) or found[0]

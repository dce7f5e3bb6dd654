"""Job options as a dict behind the data, as npm bullmq takes them: `queue.add("mail", data, {"attempts": 3})`."""

from collections.abc import Mapping
from typing import Any

from bullworks.bullmq.errors import InvalidOptionError
from bullworks.bullmq.options.job import CHECKS
from bullworks.elsewhere import meant_option


def with_dict(given: object, named: Mapping[str, Any]) -> dict[str, Any]:
    """Join the options of a dict with those that were given by name.

    Raises:
        InvalidOptionError: it is no dict, has names of npm bullmq or other libraries (shows the dict to write), or an
            option that is given by name too.
    """
    if not isinstance(given, Mapping):
        raise InvalidOptionError("opts", f'must be a dict of JobOptions, as in {{"attempts": 3}}, not {given!r}')
    meant = {option: meant_option(str(option), CHECKS) for option in given if option not in CHECKS}
    foreign = {option: found.name for option, found in meant.items() if found is not None}
    if foreign:
        line = ", ".join(f'"{foreign.get(option, option)}": ...' for option in given)
        notes = "".join(f"; {found.name}: {found.note}" for found in meant.values() if found is not None and found.note)
        raise InvalidOptionError("opts", f"{', '.join(foreign)}: unknown options; write {{{line}}}{notes}")
    twice = sorted(given.keys() & named.keys())
    if twice:
        raise InvalidOptionError(twice[0], "is given twice, in the dict and by name; keep one")
    return {**given, **named}

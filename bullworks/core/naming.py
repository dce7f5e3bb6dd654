"""Attributes: under which name a container shows each provider of its module."""

import itertools
import keyword

from bullworks.core.container import RESERVED_NAMES
from bullworks.core.node import Entry, ModuleNode
from bullworks.core.problems import NameClash, ReservedName
from bullworks.core.tokens import has_fixed_attribute, label

_NAMELESS = "token"
"""What a name without a letter or a digit of ASCII is called."""


def name_entry(entry: Entry, node: ModuleNode) -> NameClash | ReservedName | None:
    """Choose an entry's attribute: its own if possible, else a free variant, unless its author insists.

    A class, and a Token with `attr=`, is found where its name says, so that there is no other name for it.
    """
    attribute, name = entry.attribute, node.spec.name
    holder = node.shown.get(attribute)
    is_fixed = has_fixed_attribute(entry.token)
    if is_fixed and not _is_usable(attribute):
        return ReservedName(label(entry.token), attribute, name)
    if is_fixed and holder is not None:
        if has_fixed_attribute(holder.token):
            return NameClash(label(holder.token), label(entry.token), attribute, name)
        holder.attribute = made_up_name(attribute, node)
        node.shown[holder.attribute] = holder
    elif holder is not None or not _is_usable(attribute):
        entry.attribute = made_up_name(attribute, node)
    node.shown[entry.attribute] = entry
    return None


def made_up_name(wanted: str, node: ModuleNode) -> str:
    """Find the free attribute nearest to one that a module cannot use, such as `class_` or `mail_2`."""
    if not wanted.isidentifier():
        wanted = f"{_NAMELESS}_{wanted}".strip("_")
    elif not _is_usable(wanted):
        wanted += "_"
    if not wanted.isidentifier():
        wanted = _NAMELESS
    numbered = (f"{wanted.rstrip('_')}_{number}" for number in itertools.count(2))
    return next(name for name in itertools.chain([wanted], numbered) if is_free(name, node))


def is_free(attribute: str, node: ModuleNode) -> bool:
    """Whether a module's container can show a further provider under this name."""
    return attribute not in node.shown and _is_usable(attribute)


def _is_usable(attribute: str) -> bool:
    return attribute.isidentifier() and not keyword.iskeyword(attribute) and attribute not in RESERVED_NAMES

"""What can be wrong with the wiring, as facts. `error_text` puts them into words.

Problems and hints hold plain strings only, so that they compare, pickle, and keep no application alive.
"""

from dataclasses import dataclass
from enum import Enum


@dataclass(frozen=True, slots=True)
class NotExported:
    """The requested token belongs to an imported module that does not export it."""

    owner: str


@dataclass(frozen=True, slots=True)
class NotImported:
    """The requested token belongs to a module that is not imported here."""

    owner: str
    importer: str
    is_exported: bool


@dataclass(frozen=True, slots=True)
class BuiltinType:
    """The parameter's type is a builtin, which does not identify a provider."""

    type_name: str


@dataclass(frozen=True, slots=True)
class NotMarked:
    """The parameter's type alone is ambiguous; `how` says how to mark it."""

    parameter: str
    how: str


@dataclass(frozen=True, slots=True)
class NoAnnotation:
    """The parameter has no annotation that names a class."""

    parameter: str


@dataclass(frozen=True, slots=True)
class SimilarName:
    """A visible token has a similar name."""

    name: str


@dataclass(frozen=True, slots=True)
class SameName:
    """Another class, or another kind of token, of the same name is visible."""

    wanted: str
    visible: str
    what: str


@dataclass(frozen=True, slots=True)
class UndefinedName:
    """The annotation uses a name that does not exist at run time."""

    name: str
    is_local: bool


@dataclass(frozen=True, slots=True)
class InvalidAnnotation:
    """The annotation is a text that is not a type."""

    parameter: str
    reason: str


@dataclass(frozen=True, slots=True)
class NoProvider:
    """No module provides the token."""

    token: str
    importer: str
    attribute: str


@dataclass(frozen=True, slots=True)
class Advice:
    """A remedy from the token's author; `near` is a visible token with a similar name."""

    text: str
    near: str | None = None


Hint = (
    NotExported
    | NotImported
    | BuiltinType
    | NotMarked
    | NoAnnotation
    | SimilarName
    | SameName
    | UndefinedName
    | InvalidAnnotation
    | NoProvider
    | Advice
)


@dataclass(frozen=True, slots=True)
class UnresolvedParameter:
    """No visible provider serves a parameter.

    Args:
        consumer: the class or token whose parameter it is.
        parameters: all its parameters, `?` for this one.
        parameter: name and annotation.
        path: the modules from the root to the consumer's own.
        visible: what could be asked for there.
        hint: what to do about it.
    """

    consumer: str
    parameters: tuple[str, ...]
    parameter: str
    path: tuple[str, ...]
    visible: tuple[str, ...]
    hint: Hint


@dataclass(frozen=True, slots=True)
class Cycle:
    """Constructors or factories that depend on each other; the last name repeats the first.

    Args:
        asking: one of them that may ask lazily; None where all are aliases.
        parameter: what it would ask for.
    """

    names: tuple[str, ...]
    path: tuple[str, ...]
    asking: str | None
    parameter: str


@dataclass(frozen=True, slots=True)
class NestedTooDeep:
    """A chain of nested provider calls is too long for Python's stack.

    Args:
        first: the outermost of them.
        last: the innermost.
        length: how many there are.
        most: how many there may be.
    """

    first: tuple[str, ...]
    last: str
    length: int
    most: int
    path: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ReservedName:
    """A provider's attribute would hide a part of the container."""

    token: str
    attribute: str
    module: str


@dataclass(frozen=True, slots=True)
class NameClash:
    """Two tokens of one module have the same attribute."""

    first: str
    second: str
    attribute: str
    module: str


@dataclass(frozen=True, slots=True)
class ProvidedTwice:
    """One module provides a token twice."""

    token: str
    module: str


@dataclass(frozen=True, slots=True)
class UnknownExport:
    """A module exports what it neither provides nor imports."""

    token: str
    module: str


@dataclass(frozen=True, slots=True)
class ImportedTooDeep:
    """A chain of module imports is too long for Python's stack."""

    module: str
    most: int


class NotAModule(Enum):
    """The reason why an entry of `imports` is not a module."""

    NONE = "none"
    UNDECORATED = "undecorated"
    CONTAINER_CLASS = "container class"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class BadImport:
    """An entry of `imports` is not a module."""

    module: str
    given: str
    reason: NotAModule


class NotAProvider(Enum):
    """The reason why an entry of `providers` is not a provider."""

    MODULE = "module"
    NAMELESS = "nameless"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class BadProvider:
    """An entry of `providers` is neither a class, nor a result of `provide()`, nor a provider of a class."""

    module: str
    given: str
    reason: NotAProvider


@dataclass(frozen=True, slots=True)
class AbstractClass:
    """An abstract class is provided; `lacks` are its abstract methods, none for a Protocol."""

    token: str
    cls: str
    path: tuple[str, ...]
    lacks: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class GlobalTooLate:
    """A global module is loaded into a running application, whose modules would not see it."""

    module: str
    path: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class NotDurable:
    """A durable provider needs one that lives for one request only."""

    token: str
    path: tuple[str, ...]
    needed: str


@dataclass(frozen=True, slots=True)
class NoContextStrategy:
    """A provider is durable, and no module says of what, or several do: `owners`."""

    token: str
    path: tuple[str, ...]
    owners: tuple[str, ...]


Problem = (
    UnresolvedParameter
    | Cycle
    | NestedTooDeep
    | ReservedName
    | NameClash
    | ProvidedTwice
    | UnknownExport
    | ImportedTooDeep
    | BadImport
    | BadProvider
    | AbstractClass
    | GlobalTooLate
    | NotDurable
    | NoContextStrategy
)


@dataclass(frozen=True, slots=True)
class DuplicateExport:
    """Two imports of a module export the same token; the first is used. A warning, not an error."""

    token: str
    module: str
    used: str
    ignored: str

"""Puts problems into words."""

from collections.abc import Sequence

from bullworks.core.problems import (
    AbstractClass,
    Advice,
    BadImport,
    BadProvider,
    BuiltinType,
    Cycle,
    DuplicateExport,
    GlobalTooLate,
    Hint,
    ImportedTooDeep,
    InvalidAnnotation,
    NameClash,
    NestedTooDeep,
    NoAnnotation,
    NoContextStrategy,
    NoProvider,
    NotAModule,
    NotAProvider,
    NotDurable,
    NotExported,
    NotImported,
    NotMarked,
    Problem,
    ProvidedTwice,
    ReservedName,
    SameName,
    SimilarName,
    UndefinedName,
    UnknownExport,
    UnresolvedParameter,
)

# enough to find a misspelt name in; a large application would fill the screen
_VISIBLE_NAMES_SHOWN = 30


def render(problems: Sequence[Problem]) -> str:
    """Render all problems of a start as one text, each with its remedy."""
    if len(problems) == 1:
        return render_problem(problems[0])
    numbered = (f"{number}. {render_problem(problem)}" for number, problem in enumerate(problems, 1))
    return "\n".join([f"{len(problems)} problems in the wiring:", *numbered])


def render_problem(problem: Problem) -> str:  # noqa: PLR0911, PLR0912 - one text a case
    """Render one problem: what is wrong, where, and what to do."""
    match problem:
        case UnresolvedParameter():
            return _unresolved(problem)
        case Cycle(names, path, asking, parameter):
            hint = "let one of them be provided by something else than use_existing"
            if asking is not None:
                hint = f"take {parameter} in {asking} and call it when you need it"
            return f"Circular dependency in {_path(path)}: {' -> '.join(names)}.\n  Hint: {hint}."
        case NestedTooDeep(first, last, length, most, path):
            return (
                f"{first[0]} in {_path(path)} is at the end of {length:,} providers that are each made inside the "
                f"next: {' -> '.join(first)} -> ... -> {last}.\n"
                f"  Hint: TRANSIENT and REQUEST-scoped providers and use_existing may nest {most} deep; make one of "
                "them a SINGLETON, or take it as Lazy[...]."
            )
        case ReservedName(token, attribute, module):
            why = "which the container needs for itself" if attribute.isidentifier() else "which is not a Python name"
            return (
                f"{token} would be the attribute {attribute!r} of {module}, {why}.\n"
                "  Hint: rename the class, or provide it by a Token(name, attr=...)."
            )
        case NameClash(first, second, attribute, module):
            return (
                f"{first} and {second} would both be the attribute {attribute!r} of {module}.\n"
                "  Hint: provide one of them by a Token(name, attr=...)."
            )
        case ProvidedTwice(token, module):
            return f"{module} provides {token} twice.\n  Hint: keep one of them in its providers."
        case UnknownExport(token, module):
            return (
                f"{module} exports {token}, which it neither provides nor imports.\n"
                f"  Hint: add it to the providers of {module}, or import the module that exports it."
            )
        case ImportedTooDeep(module, most):
            return (
                f"{module} is at the end of more than {most} modules that each import the next.\n"
                "  Hint: import some of them in the root module, and make what all of them use a global module."
            )
        case BadImport(module, given, reason):
            return f"{module} imports {given}, which is not a module.\n  Hint: {_IMPORT_HINTS[reason]}."
        case BadProvider(module, given, reason):
            what, hint = _PROVIDER_HINTS[reason]
            return f"{module} has {given} in its providers, which {what}.\n  Hint: {hint.format(module=module)}."
        case GlobalTooLate(module, path):
            return (
                f"{_path(path)} is global, and is loaded into an application that runs: its modules would not see it.\n"
                f"  Hint: import {module} in the root module, or make a module of it that is not global."
            )
        case NotDurable(token, path, needed):
            return (
                f"{token} of {_path(path)} is durable, but needs {needed}, which lives for one request only.\n"
                f"  Hint: make {needed} durable too, or take it as Lazy[{needed}] and call that within the request; "
                "the context's key is injected as ContextKey."
            )
        case NoContextStrategy(token, path, owners):
            who = f"several modules say of what: {', '.join(owners)}" if owners else "no module says of what"
            return (
                f"{token} of {_path(path)} is durable, and {who}.\n"
                "  Hint: provide(ContextStrategy, use_class=...) in one module, with a class whose key_of() returns "
                "the tenant, say."
            )
        case AbstractClass(token, cls, path, lacks):
            what = f"is abstract, it lacks {', '.join(lacks)}" if lacks else "is a Protocol"
            return (
                f"{token} of {_path(path)} can't be built: {cls} {what}.\n"
                f"  Hint: provide({token}, use_class=...) with a class that implements it."
            )


def render_duplicate(duplicate: DuplicateExport) -> str:
    """Render which of two imports serves a token, and how to resolve the ambiguity."""
    return (
        f"{duplicate.module} imports {duplicate.token} from both {duplicate.used} and {duplicate.ignored}; "
        f"{duplicate.used} comes first and is used. Export it from one of them only."
    )


_PROVIDER_HINTS = {
    NotAProvider.MODULE: ("is a module", "add it to imports of {module}"),
    NotAProvider.NAMELESS: (
        "does not say what it provides",
        'give it a token: provide("a name", use_provider=...)',
    ),
    NotAProvider.OTHER: ("is no class", "list a class, or what provide(token, use_value=...) returns"),
}

_IMPORT_HINTS = {
    NotAModule.NONE: "the modules import each other in a cycle; use ForwardRef(lambda: TheModule)",
    NotAModule.UNDECORATED: "decorate the class with @module(...); a plain class belongs in providers",
    NotAModule.CONTAINER_CLASS: "import an instance of the container, not its class",
    NotAModule.OTHER: "imports takes module classes, for_root() containers and dependency-injector containers",
}


def _unresolved(problem: UnresolvedParameter) -> str:
    return (
        f"Can't resolve the dependencies of {problem.consumer}({', '.join(problem.parameters)}) in "
        f"{_path(problem.path)}: no provider for parameter `{problem.parameter}`.\n"
        f"  Visible in {problem.path[-1]}: {_names(problem.visible)}\n"
        f"  Hint: {_hint(problem.hint)}{'?' if isinstance(problem.hint, SimilarName) else '.'}"
    )


def _hint(hint: Hint) -> str:  # noqa: PLR0911 - one text a case
    match hint:
        case NotExported(owner):
            return f"{owner} provides it but doesn't export it; add it to exports of {owner}"
        case NotImported(owner, importer, is_exported):
            export = "" if is_exported else f", and it to exports of {owner}"
            return f"{owner} provides it; add {owner} to imports of {importer}{export}"
        case BuiltinType(name):
            return f"a {name} could be any; use Annotated[{name}, Inject(token)], or give it a default"
        case NotMarked(parameter, how):
            return f"there may be several, each with a name; say which: `{parameter}: {how}`"
        case NoAnnotation(parameter):
            return f"annotate `{parameter}` with a class, or with Annotated[T, Inject(token)]"
        case SimilarName(name):
            return f"did you mean {name}"
        case SameName(wanted, visible, what):
            return f"{wanted} is requested, {visible} is provided: two {what} of one name"
        case UndefinedName(name, is_local):
            if is_local:
                return (
                    f"`{name}` is local to a function, where `from __future__ import annotations` hides it; "
                    "define it at module level, or leave that import out"
                )
            return (
                f"`{name}` does not exist at run time; import it for real, not under TYPE_CHECKING: "
                "the container reads annotations"
            )
        case InvalidAnnotation(parameter, reason):
            return f"the annotation of `{parameter}` can't be read: {reason}"
        case NoProvider(token, importer, attribute):
            return f"no module provides it; add {token} to providers of {importer}, or override `{attribute}` in a test"
        case Advice(text, near):
            return f"no module provides it; {text}" if near is None else f"did you mean {near}? Else {text}"


def _path(path: Sequence[str]) -> str:
    return " > ".join(path)


def _names(names: Sequence[str]) -> str:
    shown = ", ".join(names[:_VISIBLE_NAMES_SHOWN]) or "nothing"
    hidden = len(names) - _VISIBLE_NAMES_SHOWN
    return f"{shown} and {hidden} more" if hidden > 0 else shown

"""How the parameters of constructors and factories are read and served."""

import functools
import inspect
from dataclasses import dataclass
from typing import Annotated, Any, Generic, Optional, TypeVar

import pytest

from bullworks.core import Inject, Lazy, ModuleContainer, Token, dynamic_module, provide

T = TypeVar("T")


class Mail:
    pass


class Sms:
    pass


class App: ...


def container(*providers: Any) -> ModuleContainer:
    return dynamic_module(App, providers=providers)


def test_a_token_goes_before_the_annotated_class() -> None:
    class Client:
        def __init__(self, mail: Annotated[Mail, Inject("SMTP")]) -> None:
            self.mail = mail

    smtp = Mail()
    assert container(Client, Mail, provide("SMTP", use_value=smtp)).get(Client).mail is smtp


def test_a_default_may_name_the_token() -> None:
    class Client:
        def __init__(self, mail: Any = Inject("SMTP")) -> None:
            self.mail = mail

    assert container(Client, provide("SMTP", use_value="smtp")).get(Client).mail == "smtp"


@pytest.mark.parametrize("annotation", [Mail | None, Optional[Mail]])  # noqa: UP045 - both spellings are read
def test_what_is_optional_is_none_when_nobody_provides_it(annotation: Any) -> None:
    def client(mail: annotation) -> Any:  # type: ignore[valid-type]
        return [mail]

    assert container(provide("client", use_factory=client)).get("client") == [None]
    assert isinstance(container(Mail, provide("client", use_factory=client)).get("client")[0], Mail)


def test_a_default_is_used_when_nobody_provides_it() -> None:
    class Client:
        def __init__(self, retries: int = 3, mail: Mail | None = None) -> None:
            self.retries, self.mail = retries, mail

    client = container(Client).get(Client)
    assert (client.retries, client.mail) == (3, None)
    assert isinstance(container(Client, Mail).get(Client).mail, Mail)


def test_keyword_only_and_positional_only_parameters_are_served() -> None:
    class Client:
        def __init__(self, mail: Mail, /, *rest: Any, sms: Sms, **options: Any) -> None:
            self.mail, self.sms, self.rest, self.options = mail, sms, rest, options

    client = container(Client, Mail, Sms).get(Client)
    assert isinstance(client.mail, Mail)
    assert isinstance(client.sms, Sms)
    assert (client.rest, client.options) == ((), {})


def test_a_dataclass_is_built_from_its_fields() -> None:
    @dataclass
    class Client:
        mail: Mail
        sms: Sms

    assert isinstance(container(Client, Mail, Sms).get(Client).sms, Sms)


def test_an_inherited_constructor_is_read() -> None:
    class Base:
        def __init__(self, mail: Mail) -> None:
            self.mail = mail

    class Client(Base): ...

    assert isinstance(container(Client, Mail).get(Client).mail, Mail)


def test_a_generic_class_is_asked_for_by_its_origin() -> None:
    class Repo(Generic[T]): ...

    class Client:
        def __init__(self, repo: Repo[int]) -> None:
            self.repo = repo

    assert isinstance(container(Client, Repo).get(Client).repo, Repo)


def test_a_factory_reads_its_annotations_unless_inject_lists_its_arguments() -> None:
    def read(mail: Mail) -> Any:
        return mail

    def listed(mail, sms):  # type: ignore[no-untyped-def]
        return mail, sms

    made = container(
        Mail,
        Sms,
        provide("read", use_factory=read),
        provide("listed", use_factory=listed, inject=[Mail, Inject(Sms)]),
    )
    assert isinstance(made.get("read"), Mail)
    assert [type(part) for part in made.get("listed")] == [Mail, Sms]


def test_inject_takes_annotations_too() -> None:
    made = container(
        Mail, provide("lazy", use_factory=lambda mail, sms: (mail(), sms), inject=[Lazy[Mail], Sms | None])
    )
    mail, sms = made.get("lazy")
    assert isinstance(mail, Mail)
    assert sms is None


def test_partials_callables_and_functions_in_c_are_factories() -> None:
    class Maker:
        def __call__(self, mail: Mail) -> Any:
            return ("made", mail)

    def make(kind: str, mail: Mail) -> Any:
        return (kind, mail)

    made = container(
        Mail,
        provide("partial", use_factory=functools.partial(make, "partial")),
        provide("callable", use_factory=Maker()),
        provide("c", use_factory=dict),
    )
    assert made.get("partial")[0] == "partial"
    assert made.get("callable")[0] == "made"
    assert made.get("c") == {}


def test_a_lazy_dependency_is_resolved_when_it_is_called() -> None:
    made = container(Hen, Egg)
    hen = made.build().get(Hen)
    assert hen.egg() is made.get(Egg)
    assert hen.egg().hen is hen


class Hen:
    def __init__(self, egg: "Lazy[Egg]") -> None:
        self.egg = egg


class Egg:
    def __init__(self, hen: Hen) -> None:
        self.hen = hen


def test_lazy_goes_with_a_token_on_either_side() -> None:
    class Client:
        def __init__(
            self,
            inside: Lazy[Annotated[Mail, Inject("SMTP")]],
            outside: Annotated[Lazy[Mail], Inject("SMTP")],
            missing: Lazy[Sms] | None,
        ) -> None:
            self.inside, self.outside, self.missing = inside, outside, missing

    smtp = Mail()
    client = container(Client, provide("SMTP", use_value=smtp)).build().get(Client)
    assert client.inside() is smtp
    assert client.outside() is smtp
    assert client.missing is None


def test_a_lazy_may_be_any_callable_in_a_unit_test() -> None:
    fake = object()
    assert Lazy(lambda: fake)() is fake


def test_use_class_use_existing_and_use_value_stand_in_for_a_token() -> None:
    class FastMail(Mail): ...

    made = container(
        provide(Mail, use_class=FastMail), provide("post", use_existing=Mail), provide("limit", use_value=5)
    )
    assert type(made.get(Mail)) is FastMail
    assert made.get("post") is made.get(Mail)
    assert made.get("limit") == 5


def test_a_factory_that_returns_none_is_called_once() -> None:
    calls = []

    def nothing() -> None:
        calls.append(1)

    def client(it: Annotated[Any, Inject("nothing")]) -> Any:
        return [it]

    made = container(
        provide("nothing", use_factory=nothing),
        provide("first", use_factory=client),
        provide("second", use_factory=client),
    ).build()
    assert made.get("first") == made.get("second") == [None]
    assert made.get("nothing") is None
    assert calls == [1]


def test_an_error_in_a_constructor_says_what_was_being_built() -> None:
    class Client:
        def __init__(self) -> None:
            raise ValueError("no certificate")

    with pytest.raises(ValueError, match="no certificate") as caught:
        container(Client).build()
    assert caught.value.__notes__ == ["while building Client of App"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({}, "exactly one of use_value, use_class, use_factory, use_existing and use_provider; 0 were given"),
        ({"use_value": 1, "use_existing": "x"}, "2 were given"),
        ({"use_value": 1, "inject": ["x"]}, "inject= goes with use_factory only"),
    ],
)
def test_provide_takes_exactly_one_source(options: Any, message: str) -> None:
    with pytest.raises(TypeError, match=message):
        provide("token", **options)


def test_tokens_are_equal_by_name_and_shown_by_their_attribute() -> None:
    queue: Token[Mail] = Token("queue:email", attr="email_queue")
    mail = Mail()
    made = container(provide(queue, use_value=mail))
    assert made.get(Token[Mail]("queue:email")) is mail
    assert made.email_queue() is mail
    assert str(queue) == "queue:email"


def test_items_of_inject_may_be_optional() -> None:
    items = [
        Inject("nobody", optional=True),
        Inject("url", optional=True),
        Mail | None,
        Inject(Token("x"), optional=True),
    ]
    made = dynamic_module(
        App, providers=[provide("url", use_value="x"), provide("got", use_factory=lambda *got: got, inject=items)]
    )
    assert made.build().get("got") == (None, "x", None, None)


def test_what_is_optional_by_its_marker_is_none_when_nobody_provides_it() -> None:
    class Client:
        def __init__(
            self,
            marked: Annotated[str, Inject("nobody", optional=True)],
            outside: Annotated[str, Inject("nobody")] | None,
            default: Any = Inject("nobody", optional=True),
        ) -> None:
            self.got = (marked, outside, default)

    assert dynamic_module(App, providers=[Client]).build().get(Client).got == (None, None, None)


def test_what_a_class_takes_is_read_as_python_calls_it() -> None:
    class Meta(type):
        def __call__(cls, mail: Mail) -> Any:
            return super().__call__(mail, "by its metaclass")

    class Made(metaclass=Meta):
        def __init__(self, mail: Mail, note: str) -> None:
            self.got = (mail, note)

    class New:
        def __new__(cls, mail: Mail) -> "New":
            made = super().__new__(cls)
            made.got = mail  # type: ignore[attr-defined]
            return made

    def wrap(function: Any) -> Any:
        @functools.wraps(function)
        def wrapped(*args: Any, **kwargs: Any) -> Any:
            return function(*args, **kwargs)

        return wrapped

    class Wrapped:
        @wrap
        def __init__(self, mail: Mail, *more: Any, at: int = 3, **options: Any) -> None:
            self.got = (mail, more, at, options)

    made = container(Mail, Made, New, Wrapped).build()
    mail = made.get(Mail)
    assert made.get(Made).got == (mail, "by its metaclass")
    assert made.get(New).got is mail  # type: ignore[attr-defined]
    assert made.get(Wrapped).got == (mail, (), 3, {})


def test_annotations_that_cannot_be_had_at_once_are_read_one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """Python 3.14 evaluates all annotations of a function when one is asked for."""

    class Client:
        def __init__(self, mail: Mail) -> None:
            self.mail = mail

    known = inspect.get_annotations

    def evaluates(function: Any, **options: Any) -> Any:
        if options:  # inspect itself
            return known(function, **options)
        raise NameError("name 'Other' is not defined")

    monkeypatch.setattr(inspect, "get_annotations", evaluates)
    assert isinstance(container(Mail, Client).build().get(Client).mail, Mail)


def test_other_marks_of_an_annotation_are_passed_over() -> None:
    class Client:
        def __init__(self, mail: Annotated[Mail, "a note"]) -> None:
            self.mail = mail

    made = container(Mail, Client).build()
    assert made.get(Client).mail is made.get(Mail)

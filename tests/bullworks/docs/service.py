"""The service that examples import from: `app`, as the README has it, with a mail service that sends nothing.

The worker, the producer and the root module are the README's own. The sample service of this repository is not used:
a team may delete it, and the framework's pages and tests stay as they are.
"""

from __future__ import annotations

import sys
from types import ModuleType

import pytest

from bullworks.core import module
from bullworks.locks import DistributedLockService
from bullworks.workers import BullModule
from tests.bullworks.docs.examples import examples_of, execute

PAGE = "README.md"


class MailNotSentError(Exception):
    """A mail did not get through this time."""


class MailService:
    """Keeps what it is to send.

    Attributes:
        sent: recipients, in order.
    """

    def __init__(self) -> None:
        self.sent: list[str] = []

    async def send(self, *, to: str, subject: str, body: str) -> None:
        """As a real one does, but for the sending."""
        self.sent.append(to)


@module(providers=[MailService], exports=[MailService])
class EmailModule:
    """MailService."""


def install_service(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let `import app...` find this service, and nothing of a real one, until the test has ended."""
    for name in [name for name in sys.modules if name == "app" or name.startswith("app.")]:
        monkeypatch.delitem(sys.modules, name)

    def add(name: str, **contents: object) -> ModuleType:
        added = ModuleType(name)
        added.__path__ = []  # a package without a folder: only what is added here is found
        vars(added).update(contents)
        monkeypatch.setitem(sys.modules, name, added)
        return added

    for package in ("app", "app.modules", "app.workers", "app.workers.services"):
        add(package)
    add("app.workers.services.distributed_lock", DistributedLockService=DistributedLockService)
    add(
        "app.modules.email",
        EmailModule=EmailModule,
        MailNotSentError=MailNotSentError,
        MailService=MailService,
    )
    examples = {example.name: example for example in examples_of(PAGE)}
    execute(examples["worker"], add("app.workers.email_worker"))
    users = add("app.modules.users")
    execute(examples["producer"], users)
    users.UsersModule = _users_module(users.UserService)  # type: ignore[attr-defined]
    execute(examples["application"], add("app.app_module"))


def _users_module(service: type[object]) -> type[object]:
    @module(imports=[BullModule.register_queue("email")], providers=[service], exports=[service])
    class UsersModule:
        """The README's UserService."""

    return UsersModule

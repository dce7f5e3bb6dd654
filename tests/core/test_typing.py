"""Users need no casts: mypy --strict accepts this file's example, and sees the types it claims."""

import subprocess
import sys
from pathlib import Path

EXAMPLE = """
from typing import Annotated, assert_type

from dependency_injector.providers import Provider

from app.core import Inject, Lazy, ModuleRef, Token, create_application, injectable, module, provide


class Queue: ...


QUEUE: Token[Queue] = Token("queue:email", attr="email_queue")


@injectable()
class EmailWorker:
    def __init__(self, queue: Annotated[Queue, Inject(QUEUE)], lazily: Lazy[Queue], modules: ModuleRef) -> None:
        assert_type(queue, Queue)
        assert_type(lazily(), Queue)
        self.modules = modules

    async def look(self) -> None:
        assert_type(self.modules.get(EmailWorker), EmailWorker)
        assert_type(await self.modules.create(EmailWorker), EmailWorker)


@module(providers=[EmailWorker, provide(QUEUE, use_factory=Queue), provide(Queue, use_existing=QUEUE)])
class App: ...


async def main() -> None:
    async with await create_application(App) as app:
        app.enable_shutdown_hooks()
        assert_type(app.get(EmailWorker), EmailWorker)
        assert_type(app.get(QUEUE), Queue)
        assert_type(await app.resolve(EmailWorker), EmailWorker)
        assert_type(app.provider_of(EmailWorker), Provider[EmailWorker])
        assert_type(await app.wait_for_shutdown(), str | None)
        app.container.email_worker.override(None)
"""


def test_the_public_types_need_no_cast(tmp_path: Path) -> None:
    root = Path(__file__).parents[2]
    example = tmp_path / "example.py"
    example.write_text(EXAMPLE)
    checked = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--config-file", "", str(example)],
        cwd=root,
        env={"MYPYPATH": str(root), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert checked.returncode == 0, checked.stdout

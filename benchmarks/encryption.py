"""What encrypted fields cost a job: us to write and to read its data, beside the same type without them. No Redis."""

import argparse
import platform
import timeit
from dataclasses import make_dataclass
from typing import Annotated, Any

from bullworks.bullmq import Encrypted, Keyring
from bullworks.bullmq.wire.payload_type import PayloadType

_ROUNDS = 5


def typed(fields: int, *, encrypted: bool) -> Any:
    """A type with as many text fields."""
    kind: Any = Annotated[str, Encrypted()] if encrypted else str
    return make_dataclass("Payload", [(f"field_{number}", kind) for number in range(fields)])


def measure(fields: int, length: int, jobs: int) -> None:
    """Print the best of a few rounds, with and without encryption."""
    keyring = Keyring({"2026-11": Keyring.new_key()})
    found: list[float] = []
    for encrypted in (False, True):
        cls = typed(fields, encrypted=encrypted)
        kind: PayloadType[Any] = PayloadType("data_type", cls, keyring)
        value = cls(*["x" * length] * fields)
        stored = kind.encode(value)
        found += [
            best_us(lambda k=kind, v=value: k.encode(v), jobs),
            best_us(lambda k=kind, s=stored: k.decode(s), jobs),
        ]
    plain_add, plain_read, add, read = found
    print(
        f"{fields:2} fields of {length:6} bytes   add {plain_add:7.1f} -> {add:7.1f} us   "
        f"read {plain_read:7.1f} -> {read:7.1f} us   more a job: {add + read - plain_add - plain_read:7.1f} us"
    )


def best_us(call: Any, jobs: int) -> float:
    return min(timeit.repeat(call, number=jobs, repeat=_ROUNDS)) / jobs * 1e6


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--jobs", type=int, default=2_000)
    jobs = parser.parse_args().jobs
    print(f"Python {platform.python_version()}, {platform.machine()}, best of {_ROUNDS} rounds of {jobs}")
    for fields, length in ((1, 16), (4, 16), (1, 1_000), (1, 100_000)):
        measure(fields, length, jobs)


if __name__ == "__main__":
    main()

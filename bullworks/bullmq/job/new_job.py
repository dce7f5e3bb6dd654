"""NewJob: one job to add, checked and encoded."""

import json
from dataclasses import dataclass
from typing import Any

from bullworks.bullmq.errors import InvalidOptionError, InvalidPayloadError
from bullworks.bullmq.options import checks
from bullworks.bullmq.options.group import Group
from bullworks.bullmq.options.job import JobOpts
from bullworks.bullmq.wire import codec, payload
from bullworks.bullmq.wire.payload_type import PayloadTypes
from bullworks.redis import Argument


@dataclass(frozen=True, slots=True)
class NewJob:
    """A validated and encoded job, as lua/lib/add.lua needs it.

    Attributes:
        waits_for_children: it is a flow's parent, and children of it are added with it.
        given_id: of one that named none, but must have one before it is sent; no part of its options.
        group: whose job it is; no part of its options, which jobs of other groups share.
    """

    name: str
    data: bytes
    opts: JobOpts
    waits_for_children: bool = False
    given_id: str = ""
    group: Group | None = None

    @classmethod
    def of(
        cls,
        name: object,
        data: Any,
        opts: JobOpts,
        *,
        queue_name: str = "",
        types: PayloadTypes | None = None,
        waits_for_children: bool = False,
        given_id: str = "",
        group: Group | None = None,
    ) -> "NewJob":
        """Validate and encode a job.

        Args:
            queue_name: where to, for the error about its data.
            types: of that queue's payloads; None means any JSON.

        Raises:
            InvalidOptionError: a name that is not text, or empty; an option that goes against the job's group.
            InvalidPayloadError: data that is not JSON, or not of the queue's type, or too large.
        """
        checked_name = checks.text("name", name)
        try:
            encoded = payload.encode(data if types is None else types.plain_data(data))
            if opts.size_limit is not None and len(encoded) > opts.size_limit:
                raise InvalidPayloadError("$", f"is {len(encoded)} bytes of JSON; size_limit is {opts.size_limit}")
        except InvalidPayloadError as error:
            raise error.of_job(queue_name, checked_name) from error.__cause__
        if group is not None:
            _refuse_with_group(opts)
        return cls(checked_name, encoded, opts, waits_for_children, given_id, group)

    @property
    def id(self) -> str:
        """The job's id; "" if Redis is to number it."""
        return self.opts.job_id or self.given_id

    def args(self) -> tuple[Argument, ...]:
        """The job's nine script arguments, in the order of lua/add_jobs.lua."""
        opts = self.opts
        return (
            self.id,
            self.name,
            self.data,
            codec.encode_opts(opts),
            "" if opts.timestamp is None else opts.timestamp,
            opts.delay_ms,
            opts.priority,
            "1" if opts.lifo else "",
            self._relations() if opts.parent or opts.deduplication or self.waits_for_children or self.group else "",
        )

    def fields(self, now_ms: int) -> dict[bytes, bytes]:
        """The hash that Redis will hold for the job, but for the priority of a job in a group, which is its turn."""
        opts = self.opts
        fields = {
            codec.NAME: self.name.encode(),
            codec.DATA: self.data,
            codec.OPTS: codec.encode_opts(opts),
            codec.TIMESTAMP: b"%d" % (now_ms if opts.timestamp is None else opts.timestamp),
            codec.DELAY: b"%d" % opts.delay_ms,
            codec.PRIORITY: b"%d" % opts.priority,
        }
        if opts.parent is not None:
            fields[codec.PARENT_KEY] = opts.parent.key.encode()
            fields[codec.PARENT] = codec.encode_parent(opts)
        if opts.deduplication is not None:
            fields[codec.DEDUPLICATION_ID] = opts.deduplication.id.encode()
        if self.group is not None:
            fields[codec.GROUP] = self.group.id.encode()
            if self.group.weight is not None:
                fields[codec.GROUP_WEIGHT] = f"{self.group.weight:.17g}".encode()
        return fields

    def _relations(self) -> str:
        opts = self.opts
        relations: dict[str, Any] = {}
        if opts.parent is not None:
            relations["parent_key"] = opts.parent.key
            relations["parent"] = codec.encode_parent(opts).decode()
        if opts.deduplication is not None:
            relations["dedup"] = opts.deduplication.to_script()
        if self.waits_for_children:
            relations["waits_for_children"] = True
        if self.group is not None:
            relations["group"] = self.group.to_script()
        return json.dumps(relations, ensure_ascii=False)


def _refuse_with_group(opts: JobOpts) -> None:
    """Raises InvalidOptionError: the options ask for another order than the group's."""
    if opts.priority:
        raise InvalidOptionError("priority", "cannot be used together with group, whose order decides; use its weight")
    if opts.lifo:
        raise InvalidOptionError("lifo", "cannot be used together with group, whose jobs keep their order")
    if opts.deduplication is not None and opts.deduplication.keep_last_if_active:
        raise InvalidOptionError("deduplication.keep_last_if_active", "cannot be used together with group")

"""A program that adds jobs before and after a fork, as a preloading web server does. Run by test_sync_queue.py.

Arguments: URL, prefix. Prints what it did; ends with 0 only if parent and child both added.
"""

from __future__ import annotations

import os
import sys
import threading

from bullworks.bullmq import SyncQueue


def main(url: str, prefix: str) -> int:
    queue = SyncQueue("q", connection=url, prefix=prefix)
    queue.add("before", None, job_id="before-fork")
    pid = os.fork()
    if pid == 0:
        # The loop's thread is the parent's: without one of its own the child would wait for ever.
        assert "bullworks-sync" not in {thread.name for thread in threading.enumerate()}
        queue.add("child", None, job_id="in-child")
        queue.close()
        os._exit(0)
    _, status = os.waitpid(pid, 0)
    queue.add("parent", None, job_id="in-parent")
    sys.stdout.write(f"{sorted(queue.get_job_counts('waiting').items())}\n")
    return os.waitstatus_to_exitcode(status)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))

"""python -m benchmarks: every peer through every workload, on this machine, in one run.

Starts a redis-server of its own on a free port. Each peer has an environment of its own, made when it is first wanted
(build/bench/<peer>/.venv; Node's is tests/bullworks/node). Peers take turns, rounds are repeated, and the median
counts. Figures of a shared machine are noisy: look at ratios, and at CPU per job before jobs per second.
"""

import argparse
import datetime
import json
import os
import platform
import signal
import subprocess
import sys
from pathlib import Path
from types import FrameType

import redis

from benchmarks import peers, workloads
from benchmarks.environments import BUILD, python_of
from benchmarks.plan import plan
from benchmarks.redis_process import RedisProcess
from benchmarks.report import report
from benchmarks.results import Results
from benchmarks.run import run

_PLOT_S = 120.0
_EXAMPLES = """examples:
  python -m benchmarks                                          all of it: about half an hour
  python -m benchmarks --list                                   peers and workloads
  python -m benchmarks --peers bullworks,bullmq --workloads drain-100,latency --rounds 5
  python -m benchmarks --from build/bench/results.json --plot-to docs/images

"""


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description=__doc__,
        epilog=_EXAMPLES + _listed(),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    made.add_argument("--peers", default="", metavar="A,B", help="only these (default all, listed below)")
    made.add_argument("--workloads", default="", metavar="A,B", help="only these (default all, listed below)")
    made.add_argument("--rounds", type=int, default=3, metavar="N", help="how often, of which the median (default 3)")
    made.add_argument("--jobs", type=int, default=20_000, metavar="N", help="jobs a measurement (default 20000)")
    made.add_argument(
        "--warm", type=float, default=1.0, metavar="X", help="share of each peer's warm-up that is run (default 1)"
    )
    made.add_argument(
        "--results", type=Path, default=BUILD / "results.json", metavar="FILE", help="default build/bench/results.json"
    )
    made.add_argument("--from", dest="source", type=Path, metavar="FILE", help="measure nothing: report these results")
    made.add_argument("--plot-to", type=Path, metavar="FOLDER", help="also draw performance.png and .svg there")
    made.add_argument("--list", action="store_true", help="list peers and workloads, and end")
    return made


def _listed() -> str:
    lines = ["peers:", *(f"  {peer.name:16} {peer.title}: {peer.guarantee}" for peer in peers.PEERS.values())]
    lines += ["", "workloads:", *(f"  {item.name:16} {item.title}" for item in workloads.WORKLOADS.values())]
    return "\n".join(lines)


class Interrupted(BaseException):
    """SIGINT or SIGTERM came; what was started is ended on the way out."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


def _interrupt(number: int, frame: FrameType | None) -> None:
    del frame
    # ending takes bounded time, and is not to be interrupted itself
    for each in (signal.SIGINT, signal.SIGTERM):
        signal.signal(each, signal.SIG_IGN)
    raise Interrupted(number)


def main(arguments: list[str] | None = None) -> int:
    """Measure and report; the exit status, 128 + the signal's number when it was interrupted."""
    made = parser()
    options = made.parse_args(arguments)
    if options.list:
        print(_listed())
        return 0
    if options.rounds < 1 or options.jobs < 1:
        made.error("--rounds and --jobs are at least 1")
    try:
        chosen = peers.chosen(options.peers), workloads.chosen(options.workloads)
    except KeyError as error:
        made.error(f"there is no {error}; --help lists peers and workloads")
    status = 0
    if options.source is not None:
        results = Results.load(options.source)
    else:
        results, status = measured(*chosen, options)
    print(report(results))
    if options.plot_to is not None and not status:
        draw(results, options.source or options.results, options.plot_to)
    return status


def measured(
    chosen_peers: list[peers.Peer], chosen_workloads: list[workloads.Workload], options: argparse.Namespace
) -> tuple[Results, int]:
    """What was measured until the end or until a signal, and the exit status."""
    results = Results(
        at=datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%d"),
        machine=f"{os.cpu_count()} cores, {platform.system()} {platform.machine()}",
        server="no server",
        rounds=options.rounds,
        jobs=options.jobs,
        peers=[peer.name for peer in chosen_peers],
        workloads=[workload.name for workload in chosen_workloads],
    )
    status = 0
    for each in (signal.SIGINT, signal.SIGTERM):
        signal.signal(each, _interrupt)
    try:
        with RedisProcess() as server:
            results.server = server.version
            run(
                server,
                plan(chosen_peers, chosen_workloads, options.rounds),
                results,
                warm=options.warm,
                save_as=options.results,
                tell=lambda line: print(line, file=sys.stderr, flush=True),
            )
    except Interrupted as interrupted:
        status = 128 + interrupted.number
        results.ended = f"by {signal.Signals(interrupted.number).name}"
    except redis.RedisError as error:
        status = 1
        results.ended = f"because redis-server ended: {error}"
    results.save(options.results)
    return results, status


def draw(results: Results, path: Path, folder: Path) -> None:
    """The plot, by a process of its own: matplotlib is not among the project's requirements."""
    folder.mkdir(parents=True, exist_ok=True)
    facts = {
        peer.name: {
            "title": peer.title,
            "guarantee": peer.guarantee,
            "version": "" if peer.is_ours else results.version(peer.name),
        }
        for peer in peers.PEERS.values()
    }
    program = Path(__file__).with_name("plot.py")
    subprocess.run(
        [str(python_of("plot")), str(program), str(path), str(folder), json.dumps(facts)],
        check=True,
        timeout=_PLOT_S,
    )


if __name__ == "__main__":
    sys.exit(main())

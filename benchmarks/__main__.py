"""python -m benchmarks: every peer through every workload, on this machine, in one run.

Starts a redis-server of its own on a free port. Each peer has an environment of its own, made when it is first wanted
(build/bench/<peer>/.venv; Node's is tests/node). Peers take turns, rounds are repeated, and the median counts. Figures
of a shared machine are noisy: look at ratios, and at CPU per job before jobs per second.
"""

import argparse
import json
import signal
import subprocess
import sys
from pathlib import Path

from benchmarks import peers, workloads
from benchmarks.environments import BUILD, python_of
from benchmarks.report import report
from benchmarks.results import Results
from benchmarks.run import run

_PLOT_S = 120.0
_EXAMPLES = """examples:
  python -m benchmarks                                          all of it: about half an hour
  python -m benchmarks --peers bullworks,bullmq --workloads drain-100,latency --rounds 5
  python -m benchmarks --from build/bench/results.json --plot docs/images

peers:
"""


def parser() -> argparse.ArgumentParser:
    lines = [f"  {peer.name:16} {peer.title}: {peer.guarantee}" for peer in peers.PEERS.values()]
    lines += ["", "workloads:", *(f"  {item.name:16} {item.title}" for item in workloads.WORKLOADS.values())]
    made = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description=__doc__,
        epilog=_EXAMPLES + "\n".join(lines),
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
    made.add_argument("--plot", type=Path, metavar="FOLDER", help="also draw performance.png and .svg there")
    return made


def main(arguments: list[str] | None = None) -> None:
    # As Ctrl-C does: the workers and the server are stopped on the way out.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    made = parser()
    options = made.parse_args(arguments)
    try:
        chosen_peers, chosen_workloads = peers.chosen(options.peers), workloads.chosen(options.workloads)
    except KeyError as error:
        made.error(f"there is no {error}; --help lists peers and workloads")
    if options.rounds < 1 or options.jobs < 1:
        made.error("--rounds and --jobs are at least 1")
    if options.source is not None:
        results = Results.load(options.source)
    else:
        results = run(
            chosen_peers,
            chosen_workloads,
            rounds=options.rounds,
            jobs=options.jobs,
            warm=options.warm,
            save_as=options.results,
            tell=lambda line: print(line, file=sys.stderr, flush=True),
        )
    print(report(results))
    if options.plot is not None:
        draw(options.source or options.results, options.plot)


def draw(results: Path, folder: Path) -> None:
    """The plot, by a process of its own: matplotlib is not among the project's requirements."""
    folder.mkdir(parents=True, exist_ok=True)
    facts = {peer.name: {"title": peer.title, "guarantee": peer.guarantee} for peer in peers.PEERS.values()}
    program = Path(__file__).with_name("plot.py")
    subprocess.run(
        [str(python_of("plot")), str(program), str(results), str(folder), json.dumps(facts)],
        check=True,
        timeout=_PLOT_S,
    )


if __name__ == "__main__":
    main()

"""`python -m bullworks`, and the command `bullworks`: the command line of the project in the current folder."""

import sys
from pathlib import Path

from bullworks.cli import DEFAULT_APP, main

_APP_OPTION = "--app"


def run() -> None:
    """Run the command line over the project in the current folder, or over `--app MODULE:CLASS`."""
    arguments = sys.argv[1:]
    app = DEFAULT_APP
    if arguments[:1] == [_APP_OPTION] and len(arguments) > 1:
        app, arguments = arguments[1], arguments[2:]
    folder = str(Path.cwd())
    if folder not in sys.path:
        sys.path.insert(0, folder)
    main(app, arguments)


if __name__ == "__main__":
    run()

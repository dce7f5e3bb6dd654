"""What `main.py` is to a service: `python tests/bullworks/cli/service_main.py ...`."""

import sys

sys.path[0] = __file__.removesuffix("/tests/bullworks/cli/service_main.py")

# A service has no FastAPI. The container's library would import the one of the dev group: a sixth of each start.
sys.modules["fastapi"] = None  # type: ignore[assignment]

from bullworks.cli import main  # noqa: E402

if __name__ == "__main__":
    main("tests.bullworks.cli.service:AppModule")

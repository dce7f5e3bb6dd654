"""What `main.py` is to a service: `python tests/bullworks/cli/service_main.py ...`."""

import sys

sys.path[0] = __file__.removesuffix("/tests/bullworks/cli/service_main.py")

# A service has none of them; redis-py and the container's library import those of the dev group.
sys.modules.update(dict.fromkeys(("opentelemetry", "yaml")))

from bullworks.cli import main  # noqa: E402

if __name__ == "__main__":
    main("tests.bullworks.cli.service:AppModule")

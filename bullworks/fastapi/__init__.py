"""A FastAPI app and our modules in one process: its lifespan starts them, its endpoints have providers injected."""

from bullworks.extras import require

require("fastapi", "bullworks.fastapi")

from bullworks.fastapi.errors import NotHostedError
from bullworks.fastapi.lifespan import Lifespan
from bullworks.fastapi.provided import Provided, current_modules

__all__ = ["Lifespan", "NotHostedError", "Provided", "current_modules"]

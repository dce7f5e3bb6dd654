"""What is wrong between a FastAPI app and our modules."""

from dataclasses import dataclass

from bullworks.core import CoreError


@dataclass(eq=False)
class NotHostedError(CoreError):
    """A FastAPI app asks for a provider, and no application of ours is at work beside it."""

    def __str__(self) -> str:
        return (
            "no application is running beside this FastAPI app: create it with "
            "FastAPI(lifespan=Lifespan(AppModule)), or mount it among the routes of a module. "
            "In a test, see that the lifespan runs: `with TestClient(app) as client:`"
        )

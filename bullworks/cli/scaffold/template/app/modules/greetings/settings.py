"""How greetings are written, from the environment."""

from bullworks.settings import Settings
from pydantic import Field


class GreetingSettings(Settings):
    """How greetings are written. A field is a variable in lower case, as in GREETING; .env.example lists them all."""

    greeting: str = Field(default="Hello", description="how a greeting begins, as in Hello")

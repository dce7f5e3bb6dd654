"""Where HTTP is served, from the environment."""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from bullworks.settings import LowerCase, Settings


def _host(host: str) -> str:
    if not host.isprintable() or " " in host or "/" in host:
        raise ValueError("it is not a host name or an address")
    return host


class WebSettings(Settings):
    """Settings of the web server, for health checks, metrics and the board."""

    http_serve: Annotated[Literal["always", "if-free", "never"], LowerCase] = Field(
        default="always", description="always, if-free (a taken port does not stop the start) or never"
    )
    http_host: Annotated[str, AfterValidator(_host)] = Field(
        default="127.0.0.1", description="an address of this machine, as in 127.0.0.1 or 0.0.0.0"
    )
    http_port: Annotated[int, Field(ge=0, le=65_535)] = Field(
        default=3000, description="a port from 1 to 65535, or 0 for any that is free"
    )

"""`generate`: writes parts of a service in the shape of `bullworks new`'s, and registers them."""

from bullworks.cli.generate.command import generate_app

__all__ = ["generate_app"]

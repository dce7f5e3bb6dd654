"""`upgrade`: brings a project's own files up to the installed Bullworks, and loses no edit."""

from bullworks.cli.upgrade.command import upgrade

__all__ = ["upgrade"]

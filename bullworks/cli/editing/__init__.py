"""Edits of a project's files: found in the syntax tree, made in the text, shown or written all together."""

from bullworks.cli.editing.changes import Changes
from bullworks.cli.editing.exports import with_exported
from bullworks.cli.editing.fitting import fitted
from bullworks.cli.editing.imports import bound_names, with_import
from bullworks.cli.editing.module_lists import with_entry, with_queue
from bullworks.cli.editing.source import Source

__all__ = ["Changes", "Source", "bound_names", "fitted", "with_entry", "with_exported", "with_import", "with_queue"]

"""New projects: a service of one feature, written from the files in `template/`."""

from bullworks.cli.scaffold.base import BASE_FILE, Base
from bullworks.cli.scaffold.checkout import checkout_folder
from bullworks.cli.scaffold.name import project_name
from bullworks.cli.scaffold.project import FILES, Project
from bullworks.cli.scaffold.writing import write_project

__all__ = ["BASE_FILE", "FILES", "Base", "Project", "checkout_folder", "project_name", "write_project"]

"""New projects: a service of one feature, written from the files in `template/`."""

from bullworks.cli.scaffold.checkout import checkout_folder
from bullworks.cli.scaffold.name import project_name
from bullworks.cli.scaffold.project import FILES, Project, write_project

__all__ = ["FILES", "Project", "checkout_folder", "project_name", "write_project"]

"""What MkDocs calls while it builds the site: adds pages from elsewhere, and leads links to where pages are."""

import posixpath
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

from docs.hooks.generated import GENERATED
from docs.hooks.links import ready_for_site

ROOT = Path(__file__).resolve().parents[2]

# Pages of other folders that the site has too: path in the repository -> path on the site.
FROM_ELSEWHERE = {
    "README.md": "index.md",
    "CHANGELOG.md": "CHANGELOG.md",
    "CONTRIBUTING.md": "CONTRIBUTING.md",
    "benchmarks/README.md": "benchmarks/README.md",
    "deploy/README.md": "deploy/README.md",
}
_SOURCES = {page: path for path, page in FROM_ELSEWHERE.items()}


def path_on_site(path: str) -> str | None:
    """Where a file of the repository is on the site, or None if it is not there."""
    if path in FROM_ELSEWHERE:
        return FROM_ELSEWHERE[path]
    inside = posixpath.relpath(path, "docs")
    return None if inside.startswith(("..", "hooks/")) or (ROOT / path).is_dir() else inside


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages from elsewhere, and those made from the code."""
    for path, page in FROM_ELSEWHERE.items():
        files.append(File.generated(config, page, content=(ROOT / path).read_text()))
    for page, write in GENERATED.items():
        files.append(File.generated(config, page, content=write()))
    return files


def on_page_markdown(markdown: str, page: Page, **_: object) -> str:
    """Make a page ready for MkDocs."""
    source = _SOURCES.get(page.file.src_uri, f"docs/{page.file.src_uri}")
    return ready_for_site(markdown, source, path_on_site, lambda path: (ROOT / path).exists())

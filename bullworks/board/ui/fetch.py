"""Gets Bull Board's own page, as its authors publish it, into a folder that git ignores.

    python bullworks/board/ui/fetch.py          # as `make run` does, where npm is there
    python bullworks/board/ui/fetch.py --force  # again

Nothing of npm's is committed. The exact version comes from a tarball that BOARD_UI_TARBALL names, else from a cache
keyed by its hash, else through the npm client; wherever it comes from, its hash must be the one below. Never done at
import nor for a request. The wheel's build hook loads this file by its path: it needs the standard library only.
"""

import argparse
import base64
import hashlib
import hmac
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
from io import BytesIO
from pathlib import Path

PACKAGE = "@bull-board/ui"
VERSION = "9.10.2"
INTEGRITY = "sha512-7VHpIe1XIdxlye0deOmMNbmHGVdkEy9nC/gZZitx9uZA3lLE21i92MPGHLFEvMm0Y33fAswPfvzTc3m4pQFg/Q=="
"""Of the tarball, as npm has it in its lock files."""

DIST = Path(__file__).resolve().parent / "dist"
TARBALL_VARIABLE = "BOARD_UI_TARBALL"
MARK = "INTEGRITY"
"""The file that says which build lies in the folder; it is written last."""

_NPM_S = 120
_LARGEST_BYTES = 64 * 1024 * 1024

LICENSE = """\
The files in this folder are the package @bull-board/ui, unmodified.

MIT License

Copyright (c) 2019 Vitor Capretz

Permission is hereby granted, free of charge, to any person obtaining a copy
of this software and associated documentation files (the "Software"), to deal
in the Software without restriction, including without limitation the rights
to use, copy, modify, merge, publish, distribute, sublicense, and/or sell
copies of the Software, and to permit persons to whom the Software is
furnished to do so, subject to the following conditions:

The above copyright notice and this permission notice shall be included in all
copies or substantial portions of the Software.

THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR
IMPLIED, INCLUDING BUT NOT LIMITED TO THE WARRANTIES OF MERCHANTABILITY,
FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE
AUTHORS OR COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER
LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR OTHERWISE, ARISING FROM,
OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE
SOFTWARE.
"""


class UiFetchError(Exception):
    """Bull Board's page could not be downloaded; holds the reason and the remedy."""


class UiForgedError(UiFetchError):
    """The downloaded page differs from the published one."""


class NpmMissingError(UiFetchError):
    """npm is not installed, and there is no other source for the page."""

    def __str__(self) -> str:
        return (
            f"{PACKAGE} {VERSION} is not here and npm is not on PATH. Install npm (it comes with Node.js), or set "
            f"{TARBALL_VARIABLE} to the tarball that `npm pack {PACKAGE}@{VERSION}` makes elsewhere"
        )


def is_fetched(folder: Path = DIST) -> bool:
    """Whether the folder holds exactly this version, complete."""
    mark = folder / MARK
    return mark.is_file() and mark.read_text().strip() == INTEGRITY


def fetch(folder: Path = DIST) -> Path:
    """Download the page into the folder, unless it is there already.

    Raises:
        UiFetchError: it cannot be had, or it is another than it should be.
    """
    if not is_fetched(folder):
        _unpack(_tarball(), folder)
    return folder


def _tarball() -> bytes:
    named = os.environ.get(TARBALL_VARIABLE)
    if named:
        path = Path(named)
        if not path.is_file():
            raise UiFetchError(f"{TARBALL_VARIABLE} names {named}, which is not a file")
        return _verify(path.read_bytes(), named)
    cached = _cache()
    if cached.is_file() and _is_genuine(content := cached.read_bytes()):
        return content
    content = _verify(_pack(), f"npm pack {PACKAGE}@{VERSION}")
    _keep(cached, content)
    return content


def _cache() -> Path:
    given = os.environ.get("XDG_CACHE_HOME")
    folder = Path(given) if given else Path.home() / ".cache"
    return folder / "bullworks" / f"{hashlib.sha256(INTEGRITY.encode()).hexdigest()[:32]}.tgz"


def _keep(cached: Path, content: bytes) -> None:
    try:
        cached.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=cached.parent, delete=False) as partial:
            partial.write(content)
        Path(partial.name).replace(cached)
    except OSError as error:
        _say(f"{cached} was not kept: {error}")


def _pack() -> bytes:
    npm = shutil.which("npm")
    if npm is None:
        raise NpmMissingError
    with tempfile.TemporaryDirectory() as folder:
        command = [npm, "pack", f"{PACKAGE}@{VERSION}", "--pack-destination", folder, "--ignore-scripts", "--silent"]
        try:
            subprocess.run(  # noqa: S603 - fixed arguments
                command,
                cwd=folder,
                check=True,
                capture_output=True,
                text=True,
                timeout=_NPM_S,
                stdin=subprocess.DEVNULL,
            )
        except subprocess.TimeoutExpired:
            raise UiFetchError(f"npm pack {PACKAGE}@{VERSION} did not end within {_NPM_S} s") from None
        except subprocess.CalledProcessError as error:
            said = " ".join(str(error.stderr or error.stdout).split())[:500]
            raise UiFetchError(f"npm pack {PACKAGE}@{VERSION} failed: {said}") from None
        packed = list(Path(folder).glob("*.tgz"))
        if len(packed) != 1:
            raise UiFetchError(f"npm pack {PACKAGE}@{VERSION} made {len(packed)} tarballs")
        return packed[0].read_bytes()


def _is_genuine(content: bytes) -> bool:
    digest = base64.b64encode(hashlib.sha512(content).digest()).decode()
    return hmac.compare_digest(f"sha512-{digest}", INTEGRITY)


def _verify(content: bytes, source: str) -> bytes:
    if not _is_genuine(content):
        raise UiForgedError(f"{source} is not {PACKAGE} {VERSION}: its hash is another than {INTEGRITY}")
    return content


def _unpack(content: bytes, folder: Path) -> None:
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".dist-") as temporary:
        with tarfile.open(fileobj=BytesIO(content), mode="r:gz") as archive:
            members = [member for member in archive if member.isfile() and member.name.startswith("package/dist/")]
            if sum(member.size for member in members) > _LARGEST_BYTES:
                raise UiFetchError(f"{PACKAGE} {VERSION} is larger than {_LARGEST_BYTES} bytes")
            archive.extractall(temporary, members=members, filter="data")
        made = Path(temporary) / "package" / "dist"
        (made / "LICENSE").write_text(LICENSE)
        (made / MARK).write_text(f"{INTEGRITY}\n")
        shutil.rmtree(folder, ignore_errors=True)
        made.replace(folder)


def main() -> int:
    """Download the page and print the result; a missing npm is a hint, not a failure."""
    parser = argparse.ArgumentParser(description=f"Gets {PACKAGE} {VERSION}, Bull Board's page.")
    parser.add_argument("--force", action="store_true", help="even if it is installed already")
    if parser.parse_args().force:
        shutil.rmtree(DIST, ignore_errors=True)
    try:
        (fetch() / MARK).touch()  # `make` compares its time with this file's
    except NpmMissingError as error:
        _say(f"{error}. The built-in pages are served instead.")
        return 0
    except UiFetchError as error:
        _say(f"error: {error}")
        return 1
    return 0


def _say(text: str) -> None:
    sys.stderr.write(f"{text}\n")


if __name__ == "__main__":
    sys.exit(main())

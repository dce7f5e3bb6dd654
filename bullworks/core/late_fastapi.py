"""dependency-injector's wiring, imported without FastAPI, which it would import wherever that is installed.

To import FastAPI takes a fifth of a start, and few services use it. Its `Depends(Provide[...])` is understood all the
same: whoever writes that has imported FastAPI. `bullworks.core` imports this before anything of dependency-injector.
"""

import sys
from typing import Any

_FASTAPI = "fastapi"


def _marker_in_depends(parameter: Any) -> Any:
    """The marker within FastAPI's `Depends`; None if it is something else."""
    params: Any = sys.modules.get(f"{_FASTAPI}.params")
    return parameter.dependency if params is not None and isinstance(parameter, params.Depends) else None


if _FASTAPI not in sys.modules:
    sys.modules[_FASTAPI] = None  # type: ignore[assignment] # to import it is an ImportError meanwhile
    try:
        from dependency_injector import wiring
    finally:
        del sys.modules[_FASTAPI]
    if not hasattr(wiring, "extract_marker_from_fastapi"):
        wiring.MARKER_EXTRACTORS.append(_marker_in_depends)

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.unit.collect.sandbox import SHELLS, Node


@pytest.fixture
def node() -> Iterator[Node]:
    """A node whose files other users may read as well."""
    root = Path(tempfile.mkdtemp(prefix="node-"))
    root.chmod(0o755)
    (root / "tmp").mkdir()
    yield Node(root)
    shutil.rmtree(root)


@pytest.fixture(params=SHELLS)
def shell(request: pytest.FixtureRequest) -> str:
    """Each shell that a node may have as sh."""
    name: str = request.param
    if shutil.which(name) is None:
        pytest.skip(f"there is no {name} on this machine")
    return name

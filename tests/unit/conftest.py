# Copyright: Contributors to the mcp.platform project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Makes the tree importable by the collection's name, from where it lies, without Ansible."""

from __future__ import annotations

import importlib
import sys
import types
from pathlib import Path

from hypothesis import settings

ROOT = Path(__file__).resolve().parents[2]


def _package(name: str, paths: list[str]) -> None:
    """Register the namespace package *name*, and hang it into its parent."""
    package = types.ModuleType(name)
    package.__path__ = paths
    sys.modules[name] = package
    parent, _dot, child = name.rpartition(".")
    if parent:
        setattr(importlib.import_module(parent), child, package)


# The files are imported from their own place, not through the link in .cache: coverage then sees
# those that no test imports, too.
try:
    importlib.import_module("ansible_collections")
except ImportError:
    _package("ansible_collections", [])
_package("ansible_collections.mcp", [])
_package("ansible_collections.mcp.platform", [str(ROOT)])

# A busy machine is no failure: examples have no deadline. The same ones are drawn each time, so
# that a failure is one of the change at hand; half as many as usual suffice for plans this small.
settings.register_profile("tree", deadline=None, derandomize=True, database=None, max_examples=50)
settings.load_profile("tree")

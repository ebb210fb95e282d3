# Copyright: Contributors to the mcp.platform project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""tools/generate_docs as a library: a program without an extension can't be imported by name."""

from __future__ import annotations

import sys
from importlib.machinery import SourceFileLoader
from importlib.util import module_from_spec, spec_from_loader
from pathlib import Path
from types import ModuleType


def generator() -> ModuleType:
    """Return the program as a module; its own tree is that of these checks."""
    path = Path(__file__).resolve().parents[3] / "tools/generate_docs"
    keep, sys.dont_write_bytecode = sys.dont_write_bytecode, True
    try:
        spec = spec_from_loader("generate_docs", SourceFileLoader("generate_docs", str(path)))
        assert spec and spec.loader
        module = module_from_spec(spec)
        spec.loader.exec_module(module)
    finally:
        sys.dont_write_bytecode = keep
    return module


generate_docs = generator()

# Copyright: Contributors to the mcp.platform project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Stands in for the pip bootstrap that ansible-test downloads: the interpreter carries a pip."""

from __future__ import annotations

import ensurepip
import subprocess
import sys

if __name__ == "__main__":
    arguments = [a for a in sys.argv[1:] if a not in ("--no-setuptools", "--no-wheel")]
    ensurepip.bootstrap()
    sys.exit(subprocess.call([sys.executable, "-m", "pip", "install", *arguments]))

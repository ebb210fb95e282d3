# Copyright: Contributors to the mcp.platform project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: catalogue_binary
short_description: Install a binary that Debian does not have
version_added: 0.1.0
author: Contributors to the mcp.platform project (@mcp-platform)
description:
  - Installs a binary of the collection's catalogue, C(meta/catalogue.yml), or one from a source of your own.
  - The controller fetches it once, checks its checksum and keeps it in a cache. What is only there as source is built there once,
    from sources that Go's checksum database proves; that takes minutes. Hosts get it over SSH,
    check it again and put it in place in one step, so that hosts need no way to the internet.
  - Where the right one is in place already, one round trip is made. Its checksum is read once; later runs compare
    size and time of change.
  - An action plugin does the fetching; the module on the host gets a staged file.
options:
  name:
    description: Name of the artefact in the catalogue.
    type: str
    required: true
  path:
    description: Where the binary belongs on the host.
    type: path
    required: true
  source:
    description:
      - V(catalogue) takes the version and checksums of the catalogue.
      - V(url) downloads O(location) to the controller.
      - V(path) takes the file O(location) on the controller.
    type: str
    choices: [catalogue, url, path]
    default: catalogue
  location:
    description: The URL, or the path on the controller, of the binary itself, not of an archive.
    type: str
  version:
    description: The version that stands behind O(location).
    type: str
  sha256:
    description:
      - Checksums of the binary by architecture, as C(uname -m) names it. Needed with O(source=url) and O(source=path).
    type: dict
  cache_dir:
    description: Directory on the controller for what was fetched. Below the user's cache directory by default.
    type: path
  staged:
    description: The transferred file. Set by the action plugin; not for users.
    type: path
  member:
    description: The binary's path inside the archive O(staged). Set by the action plugin; not for users.
    type: str
extends_documentation_fragment:
  - mcp.platform.attributes
attributes:
  check_mode:
    support: full
    details: Nothing is fetched.
  diff_mode:
    support: full
  idempotent:
    support: full
  platform:
    platforms: posix
"""

EXAMPLES = r"""
- name: Install the secrets server
  mcp.platform.catalogue_binary:
    name: openbao
    path: /usr/local/bin/bao

- name: Install a build of one's own
  mcp.platform.catalogue_binary:
    name: openbao
    path: /usr/local/bin/bao
    source: path
    location: ~/builds/bao
    version: 2.7.2
    sha256:
      x86_64: 9c5f36287c673f386e1533e9c044169a248e4ee50dd54810fa766e95bd41b788
"""

RETURN = r"""
changes:
  description: What was done, or in check mode would be done, a line each.
  type: list
  elements: str
  returned: always
  sample: ["install /usr/local/bin/bao (openbao 2.7.2)"]
architecture:
  description: The host's architecture.
  type: str
  returned: success
  sample: x86_64
needed:
  description: Whether a binary is needed that was not staged.
  type: bool
  returned: success
  sample: false
"""

from ansible_collections.mcp.platform.plugins.module_utils._binary.apply import apply
from ansible_collections.mcp.platform.plugins.module_utils._core.module import run


def main() -> None:
    run(
        apply,
        argument_spec={
            "name": {"type": "str", "required": True},
            "path": {"type": "path", "required": True},
            "source": {
                "type": "str",
                "choices": ["catalogue", "url", "path"],
                "default": "catalogue",
            },
            "location": {"type": "str"},
            "version": {"type": "str"},
            "sha256": {"type": "dict"},
            "cache_dir": {"type": "path"},
            "staged": {"type": "path"},
            "member": {"type": "str"},
        },
    )


if __name__ == "__main__":
    main()

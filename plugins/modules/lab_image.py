#!/usr/bin/python
# Copyright: Contributors to the mcp.platform project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: lab_image
short_description: Make a container image of Debian for lab hosts
version_added: 0.1.0
description:
  - Makes an image with C(debootstrap), or from another image, and runs a set-up script in it.
  - The image's tag is a hash of all that decides what is in it, so that a changed recipe makes a new
    image and an unchanged one is found again.
options:
  name:
    description: Name of the image, without a tag.
    type: str
    required: true
  base:
    description: Image to start from. Without it, O(release) is installed by C(debootstrap).
    type: str
    default: ''
  release:
    description: Code name of the Debian release.
    type: str
    default: trixie
  packages:
    description: Packages that C(debootstrap) adds to its minimal system.
    type: list
    elements: str
    default: []
  setup:
    description:
      - Shell script that is run inside. It stops at the first command that fails.
      - With a release, the variable C(LAB_SOURCES) holds the content for apt's sources.
    type: str
    required: true
  mirror:
    description:
      - URL of the Debian mirror. Without it, the machine's own mirror is taken where the machine is a
        Debian, and the default of C(debootstrap) elsewhere.
    type: str
    default: ''
  podman:
    description: Path of podman, or of a program that takes the same arguments.
    type: path
    default: podman
extends_documentation_fragment:
  - mcp.platform.attributes
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
  idempotent:
    support: full
  platform:
    platforms: debian
requirements:
  - podman
  - debootstrap
author:
  - Contributors to the mcp.platform project (@mcp-platform)
"""

EXAMPLES = r"""
- name: Make an image of Debian 13 that boots systemd
  mcp.platform.lab_image:
    name: localhost/example
    packages: [systemd, systemd-sysv, dbus, python3]
    setup: printf '%s\n' "$LAB_SOURCES" >/etc/apt/sources.list.d/debian.sources
  register: example

- name: Make another image from it
  mcp.platform.lab_image:
    name: localhost/example-cache
    base: "{{ example.image }}"
    setup: apt-get update && apt-get install -y apt-cacher-ng
"""

RETURN = r"""
image:
  description: The image's full name with its tag.
  type: str
  returned: success
  sample: localhost/example:1f0c35a1c2b7
"""

from ansible_collections.mcp.platform.plugins.module_utils._core.module import (
    Context,
    Outcome,
    run,
)
from ansible_collections.mcp.platform.plugins.module_utils._core.plan import Change
from ansible_collections.mcp.platform.plugins.module_utils._lab.cache import shared_things_locked
from ansible_collections.mcp.platform.plugins.module_utils._lab.client import Podman
from ansible_collections.mcp.platform.plugins.module_utils._lab.image import (
    Recipe,
    build_from_image,
    build_from_release,
)

OPTIONS = {
    "name": {"type": "str", "required": True},
    "base": {"type": "str", "default": ""},
    "release": {"type": "str", "default": "trixie"},
    "packages": {"type": "list", "elements": "str", "default": []},
    "setup": {"type": "str", "required": True},
    "mirror": {"type": "str", "default": ""},
    "podman": {"type": "path", "default": "podman"},
}


def execute(context: Context) -> Outcome:
    """Build the image where none of this recipe is stored."""
    params = context.params
    podman = Podman(params["podman"])
    recipe = Recipe(
        base=params["base"],
        release=params["release"],
        packages=tuple(params["packages"]),
        setup=params["setup"],
        mirror=params["mirror"],
    )
    image = recipe.tagged(params["name"])
    values = {"image": image}
    changes = (Change("create", f"image {image}"),)
    if podman.has_image(image):
        return Outcome((), values)
    if context.check_mode:
        return Outcome(changes, values)
    with shared_things_locked():
        if podman.has_image(image):
            return Outcome((), values)
        build = build_from_image if recipe.base else build_from_release
        build(podman, recipe, image)
    return Outcome(changes, values)


def main() -> None:
    """Run as an Ansible module."""
    run(execute, argument_spec=OPTIONS)


if __name__ == "__main__":
    main()

# Copyright: Contributors to the mcp.platform project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from ansible_collections.mcp.platform.plugins.filter.account_secrets import account_secrets


def test_each_account_gets_a_username_and_a_drawn_password():
    (secret,) = account_secrets({"postgresql/superuser": "postgres"}, length=40)
    assert secret["path"] == "postgresql/superuser"
    assert {"name": "username", "value": "postgres", "sensitive": False} in secret["fields"]
    assert {"name": "password", "generate": {"length": 40}} in secret["fields"]


def test_a_given_password_is_kept_instead_of_a_drawn_one():
    usernames = {"postgresql/roles/app": "app", "postgresql/roles/other": "other"}
    app, other = account_secrets(usernames, passwords={"postgresql/roles/app": "chosen"})
    assert {"name": "password", "value": "chosen"} in app["fields"]
    assert {"name": "password", "generate": {"length": 32}} in other["fields"]

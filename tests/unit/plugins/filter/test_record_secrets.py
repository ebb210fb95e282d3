# Copyright: Contributors to the mcp.platform project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from ansible_collections.mcp.platform.plugins.filter.record_secrets import record_secrets


def test_a_record_is_stored_below_services_and_hides_nothing():
    (entry,) = record_secrets([{"service": "etcd", "version": "3.5"}])
    assert entry["path"] == "services/etcd"
    assert entry["fields"] == [
        {"name": "service", "value": "etcd", "sensitive": False},
        {"name": "version", "value": "3.5", "sensitive": False},
    ]


def test_what_could_not_be_asked_for_stays_as_it_was():
    (entry,) = record_secrets([{"service": "etcd", "version": ""}])
    assert [field["name"] for field in entry["fields"]] == ["service"]

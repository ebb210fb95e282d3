# Copyright: Contributors to the mcp.platform project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.mcp.platform.plugins.filter.minio_layout import minio_layout
from ansible_collections.mcp.platform.plugins.module_utils._core.errors import PlatformError
from ansible_collections.mcp.platform.plugins.module_utils._minio.layout import (
    Pool,
    layout,
    pattern,
    set_size,
)


def _pool(hosts: int, drives: int, first: int = 1) -> Pool:
    return Pool(
        tuple(f"store{number}.test" for number in range(first, first + hosts)),
        tuple(f"/srv/drive{number}" for number in range(1, drives + 1)),
    )


@pytest.mark.parametrize(
    ("names", "word"),
    [
        (["a"], "a"),
        (["s1.test", "s2.test", "s3.test"], "s{1...3}.test"),
        (["s09", "s10", "s11"], "s{09...11}"),
        (["s9", "s10"], "s{9...10}"),
        (["s1", "s3"], None),
        (["s2", "s1"], None),
        (["s01", "s2"], None),
        (["a1", "b2"], None),
        (["alpha", "beta"], None),
        (["db1.site1", "db2.site1"], None),
    ],
)
def test_pattern(names: list[str], word: str | None) -> None:
    assert pattern(names) == word


@given(st.integers(0, 500), st.integers(2, 40), st.integers(0, 4))
def test_a_pattern_names_what_it_was_made_of(first: int, count: int, width: int) -> None:
    names = [f"x{number:0{width}d}y" for number in range(first, first + count)]
    word = pattern(names)
    if word is None:
        # Numbers that outgrow their zeros.
        assert len({len(name) for name in names}) > 1
        return
    low, high = word[2:-2].split("...")
    assert [f"x{n:0{len(low)}d}y" for n in range(int(low), int(high) + 1)] == names


@pytest.mark.parametrize(
    ("hosts", "drives", "size"),
    [(3, 2, 6), (4, 4, 16), (4, 1, 4), (1, 1, 1), (1, 4, 4), (2, 2, 4), (6, 4, 12), (17, 1, 0)],
)
def test_set_size(hosts: int, drives: int, size: int) -> None:
    assert set_size(_pool(hosts, drives)) == size


def test_one_pool_is_a_range() -> None:
    found = layout([_pool(3, 2)], 9000)
    assert found.volumes == ("https://store{1...3}.test:9000/srv/drive{1...2}",)
    assert (found.set_sizes, found.parity) == ((6,), 3)


def test_hosts_that_are_no_range_are_listed_drive_by_drive() -> None:
    found = layout([Pool(("red", "blue"), ("/a", "/b"))], 9000)
    assert found.volumes == tuple(
        f"https://{host}:9000{drive}" for drive in ("/a", "/b") for host in ("blue", "red")
    )


@given(st.permutations([f"store{n}" for n in range(8, 12)]), st.permutations(["/b2", "/b10", "/a"]))
def test_the_order_of_the_inventory_does_not_matter(hosts: list[str], drives: list[str]) -> None:
    found = layout([Pool(tuple(hosts), tuple(drives))], 9000)
    assert found == layout([Pool(tuple(sorted(hosts)), tuple(sorted(drives)))], 9000)
    assert found.volumes[0] == "https://store8:9000/a"
    assert found.volumes[-1] == "https://store11:9000/b10"


def test_a_single_drive_is_a_path() -> None:
    assert layout([_pool(1, 1)], 9000).volumes == ("/srv/drive1",)


def test_pools_follow_each_other_and_share_the_first_ones_parity() -> None:
    found = layout([_pool(3, 2), _pool(4, 2, first=4)], 9000)
    assert found.volumes == (
        "https://store{1...3}.test:9000/srv/drive{1...2}",
        "https://store{4...7}.test:9000/srv/drive{1...2}",
    )
    assert (found.set_sizes, found.parity) == ((6, 8), 3)


@pytest.mark.parametrize(
    ("pools", "parity", "what"),
    [
        ([], 0, "there is no pool"),
        ([_pool(17, 1)], 0, "can't be split into sets"),
        ([_pool(3, 2), _pool(3, 2)], 0, "stands twice"),
        ([_pool(3, 2), Pool(("red", "blue"), ("/a", "/b", "/c"))], 0, "not numbered"),
        ([_pool(3, 2), _pool(1, 2, first=4)], 0, "more than half"),
        ([_pool(3, 2), _pool(1, 1, first=4)], 0, "can't be split into sets"),
        ([_pool(3, 2)], 4, "more than half"),
    ],
)
def test_refused(pools: list[Pool], parity: int, what: str) -> None:
    with pytest.raises(PlatformError, match=what):
        layout(pools, 9000, parity)


def test_the_filter_puts_the_domain_behind_names_and_tells_a_problem() -> None:
    pool = {"hosts": ["store1", "store2"], "drives": ["/a", "/b"]}
    assert minio_layout([pool], "test", 9001)["volumes"][0].startswith("https://store1.test:9001/a")
    refused = minio_layout([pool], "test", parity=3)
    assert "more than half" in refused["problem"] and refused["hint"] and not refused["volumes"]

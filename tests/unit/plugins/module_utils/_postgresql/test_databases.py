# Copyright: Contributors to the mcp.platform project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ansible_collections.mcp.platform.plugins.module_utils._core.errors import PlatformError
from ansible_collections.mcp.platform.plugins.module_utils._postgresql import (
    databases,
    privileges,
)
from ansible_collections.mcp.platform.plugins.module_utils._postgresql.model import (
    NEW_CONTENT,
    PUBLIC,
    Content,
    Database,
    DesiredDatabase,
    Extension,
    Grant,
    Relation,
    desired_database,
)

_APP = DesiredDatabase(
    "app", owner="owner", readers=frozenset({"reader"}), writers=frozenset({"writer"})
)


def _statements(steps):
    return [statement for step in steps for statement in step.statements]


def _granted(steps):
    return {statement for statement in _statements(steps) if "GRANT" in statement}


def test_a_new_database_lets_in_who_is_named_and_nobody_else():
    steps = databases.plan({}, [_APP], "postgres")
    assert steps[0].alone
    assert _statements(steps) == [
        'CREATE DATABASE "app" OWNER "owner"',
        'REVOKE CONNECT, TEMPORARY ON DATABASE "app" FROM PUBLIC',
        'GRANT CONNECT ON DATABASE "app" TO "reader"',
        'GRANT CONNECT, TEMPORARY ON DATABASE "app" TO "writer"',
    ]


def test_encoding_and_locale_are_said_when_a_database_is_made():
    desired = DesiredDatabase(
        "app", encoding="UTF8", locale_provider="builtin", locale="C.UTF-8", connection_limit=5
    )
    create, limit, *_unused = _statements(databases.plan({}, [desired], "postgres"))
    assert create == (
        'CREATE DATABASE "app" OWNER "postgres" ENCODING \'UTF8\''
        " LOCALE_PROVIDER \"builtin\" BUILTIN_LOCALE 'C.UTF-8' TEMPLATE template0"
    )
    assert limit == 'ALTER DATABASE "app" CONNECTION LIMIT 5'


@pytest.mark.parametrize(
    "desired",
    [
        DesiredDatabase("app", encoding="LATIN1"),
        DesiredDatabase("app", locale_provider="icu", locale="de"),
    ],
)
def test_what_is_fixed_at_creation_is_refused_afterwards(desired):
    current = {"app": Database("app", "owner", "UTF8", "libc", "C.UTF-8")}
    with pytest.raises(PlatformError, match="fixed when a database is made"):
        databases.plan(current, [desired], "postgres")


def test_attributes_change_one_by_one():
    current = {"app": Database("app", "old", connection_limit=1, settings={"jit": "on"})}
    desired = DesiredDatabase("app", owner="owner", connection_limit=2, settings={"jit": "off"})
    (step,) = databases.plan(current, [desired], "postgres")
    assert step.statements == (
        'ALTER DATABASE "app" OWNER TO "owner"',
        'ALTER DATABASE "app" CONNECTION LIMIT 2',
        'ALTER DATABASE "app" SET "jit" TO \'off\'',
    )
    assert str(step.change) == "update database app"


def test_an_absent_database_is_dropped_once():
    absent = DesiredDatabase("app", present=False)
    steps = databases.plan({"app": Database("app", "owner")}, [absent], "postgres")
    assert _statements(steps) == ['DROP DATABASE "app"']
    assert databases.plan({}, [absent], "postgres") == ()


def test_every_role_may_connect_where_that_is_said():
    desired = DesiredDatabase("postgres", public_connect=True, lookup_role="pool")
    current = {"postgres": databases.blank(desired, "postgres")}
    assert _statements(databases.plan(current, [desired], "postgres")) == [
        'REVOKE TEMPORARY ON DATABASE "postgres" FROM PUBLIC',
        'GRANT CONNECT ON DATABASE "postgres" TO "pool"',
    ]


def test_extra_privileges_are_told_and_revoked_only_on_demand():
    extra = Grant("database", '"app"', "intern", "CONNECT")
    desired = DesiredDatabase("app", owner="owner")
    current = Database("app", "owner", grants=frozenset({extra}))
    assert databases.plan({"app": current}, [desired], "postgres") == ()
    assert databases.drift(desired, current, NEW_CONTENT, "owner") == [
        "CONNECT on database app for intern"
    ]
    exclusive = replace(desired, exclusive=True)
    assert _statements(databases.plan({"app": current}, [exclusive], "postgres")) == [
        'REVOKE CONNECT ON DATABASE "app" FROM "intern"'
    ]
    assert databases.drift(exclusive, current, NEW_CONTENT, "owner") == []


def test_the_reader_reads_what_comes_later_too():
    granted = _granted(databases.plan_content(_APP, NEW_CONTENT, "owner"))
    assert 'GRANT USAGE ON SCHEMA "public" TO "reader"' in granted
    for statement in (
        'GRANT SELECT ON TABLES TO "reader"',
        'GRANT USAGE ON SCHEMAS TO "reader"',
        'GRANT DELETE, INSERT, SELECT, UPDATE ON TABLES TO "writer"',
        'GRANT SELECT, UPDATE, USAGE ON SEQUENCES TO "writer"',
    ):
        assert f'ALTER DEFAULT PRIVILEGES FOR ROLE "owner" {statement}' in granted


def test_only_relations_of_the_owners_are_granted():
    content = replace(
        NEW_CONTENT,
        relations=frozenset(
            (
                Relation("table", '"public"."mine"', "owner"),
                Relation("table", '"public"."also"', "owner"),
                Relation("sequence", '"public"."ids"', "owner"),
                Relation("table", '"public"."admin"', "postgres"),
            )
        ),
    )
    granted = _granted(databases.plan_content(_APP, content, "owner"))
    assert 'GRANT SELECT ON TABLE "public"."also", "public"."mine" TO "reader"' in granted
    assert 'GRANT SELECT ON SEQUENCE "public"."ids" TO "reader"' in granted
    assert not any("admin" in statement for statement in granted)


def test_schemas_are_made_and_belong_to_whom_they_should():
    desired = DesiredDatabase(
        "app", schemas={"new": None, "kept": "audit", "public": None, "mine": None}
    )
    content = replace(
        NEW_CONTENT, schemas={"public": "pg_database_owner", "kept": "owner", "mine": "owner"}
    )
    assert _statements(databases.plan_content(desired, content, "owner")) == [
        'CREATE SCHEMA "new" AUTHORIZATION "owner"',
        'ALTER SCHEMA "kept" OWNER TO "audit"',
    ]


def test_a_schema_owner_needs_no_grant_on_its_own():
    desired = DesiredDatabase(
        "app", owner="owner", schemas={"audit": "writer"}, writers=frozenset({"writer"})
    )
    granted = _granted(databases.plan_content(desired, NEW_CONTENT, "owner"))
    assert not any('"audit"' in statement for statement in granted)
    assert not any('FOR ROLE "writer"' in statement for statement in granted)


def test_public_may_not_create_in_a_schema():
    create = Grant("schema", '"public"', PUBLIC, "CREATE")
    content = replace(NEW_CONTENT, grants=NEW_CONTENT.grants | {create})
    desired = DesiredDatabase("app")
    assert _statements(databases.plan_content(desired, content, "owner")) == [
        'REVOKE CREATE ON SCHEMA "public" FROM PUBLIC'
    ]


def test_extensions_are_created_updated_and_left():
    desired = DesiredDatabase("app", extensions=("new", "fixed", "old", "same"))
    content = replace(
        NEW_CONTENT,
        extensions={
            "new": Extension(None, "1.0"),
            "fixed": Extension(None, "1.0", "pg_catalog"),
            "old": Extension("1.0", "1.1"),
            "same": Extension("1.0", "1.0"),
            "other": Extension("1.0", None),
            "plpgsql": Extension("1.0", "1.0"),
        },
    )
    databases.refuse_unavailable(desired, content)
    steps = databases.plan_content(desired, content, "owner")
    assert _statements(steps) == [
        'CREATE EXTENSION "new" SCHEMA public CASCADE',
        'CREATE EXTENSION "fixed" CASCADE',
        'ALTER EXTENSION "old" UPDATE',
    ]
    assert [step.alone for step in steps] == [False, False, True]
    assert databases.drift(desired, None, content, "owner") == ["extension other in database app"]


def test_an_extension_without_files_is_refused():
    with pytest.raises(PlatformError, match="no files of extension missing"):
        databases.refuse_unavailable(DesiredDatabase("app", extensions=("missing",)), NEW_CONTENT)


def test_the_lookup_is_for_the_pool_alone():
    desired = DesiredDatabase("postgres", lookup_role="pool")
    statements = _statements(databases.plan_content(desired, NEW_CONTENT, "postgres"))
    assert statements[0] == 'CREATE SCHEMA "auth_lookup"'
    assert "SECURITY DEFINER SET search_path = pg_catalog, pg_temp" in statements[1]
    assert "NOT rolsuper AND NOT rolreplication" in statements[1]
    assert statements[2:] == [
        'REVOKE EXECUTE ON FUNCTION "auth_lookup"."verifier"(text) FROM PUBLIC',
        'GRANT EXECUTE ON FUNCTION "auth_lookup"."verifier"(text) TO "pool"',
        'GRANT USAGE ON SCHEMA "auth_lookup" TO "pool"',
    ]


def test_a_changed_lookup_is_put_right():
    desired = DesiredDatabase("postgres", lookup_role="pool")
    content = replace(
        NEW_CONTENT,
        schemas={**NEW_CONTENT.schemas, "auth_lookup": "postgres"},
        lookup="SELECT everything",
        grants=NEW_CONTENT.grants | privileges.wanted_inside(desired, NEW_CONTENT, "postgres"),
    )
    (step,) = databases.plan_content(desired, content, "postgres")
    assert step.change.kind == "update"
    kept = replace(content, lookup=databases.LOOKUP_BODY)
    assert databases.plan_content(desired, kept, "postgres") == ()


def test_unknown_roles_and_doubles_are_refused():
    with pytest.raises(PlatformError, match="listed twice: app"):
        databases.refuse_unknown([_APP, _APP], [])
    with pytest.raises(PlatformError, match="do not exist: reader, writer"):
        databases.refuse_unknown([_APP], ["owner"])
    databases.refuse_unknown([replace(_APP, present=False)], [])


def test_an_entry_becomes_a_database():
    desired = desired_database(
        {
            "name": "app",
            "owner": "owner",
            "extensions": ["vector", "vector"],
            "schemas": [{"name": "a"}, {"name": "b", "owner": "x"}],
            "readers": ["reader"],
            "lookup_role": "pool",
            "settings": {"jit": True},
        }
    )
    assert desired.extensions == ("vector",)
    assert desired.settings == {"jit": "on"}
    assert desired.roles == {"owner", "x", "reader", "pool"}
    assert desired_database({"name": "x"}).settings is None


@pytest.mark.parametrize(
    "entry", [{"name": "template1"}, {"name": "app", "locale": "C"}, {"name": ""}]
)
def test_an_entry_that_cannot_work_is_refused(entry):
    with pytest.raises(PlatformError):
        desired_database(entry)


def test_many_objects_are_told_in_one_line():
    grants = [Grant("table", f'"public"."t{n}"', "intern", "SELECT") for n in range(3)]
    defaults = [Grant("tables", "owner", "intern", "SELECT")]
    assert privileges.described("app", [*grants, *defaults]) == [
        "SELECT on 3 tables in database app for intern",
        "SELECT on future tables of role owner in database app for intern",
    ]


_ROLES = st.sampled_from(["owner", "a", "b"])
_RELATION = st.builds(
    Relation,
    st.sampled_from(["table", "sequence"]),
    st.sampled_from(['"s"."x"', '"s"."y"']),
    _ROLES,
)
_GRANT = st.builds(
    Grant,
    st.just("table"),
    st.sampled_from(['"s"."x"', '"s"."z"']),
    st.sampled_from(["a", "b", PUBLIC]),
    st.sampled_from(["SELECT", "INSERT"]),
)
_DESIRED = st.builds(
    DesiredDatabase,
    st.just("app"),
    owner=st.just("owner"),
    schemas=st.dictionaries(st.sampled_from(["s", "public"]), st.none() | _ROLES),
    writers=st.frozensets(_ROLES),
    readers=st.frozensets(_ROLES),
    visitors=st.frozensets(_ROLES),
    public_connect=st.booleans(),
    exclusive=st.booleans(),
    lookup_role=st.none() | st.just("b"),
)


def _applied(desired, content):
    """Return the content after the plan, made from the same sets that the statements come from."""
    later = databases.foreseen(desired, content, "owner")
    gone, unasked = privileges.surplus_inside(desired, later, "owner")
    removed = gone | unasked if desired.exclusive else gone
    wanted = privileges.wanted_inside(desired, later, "owner")
    lookup = databases.LOOKUP_BODY if desired.lookup_role else content.lookup
    return replace(later, grants=(later.grants - removed) | wanted, lookup=lookup)


@settings(deadline=None)
@given(
    _DESIRED,
    st.frozensets(_RELATION, max_size=3),
    st.frozensets(_GRANT),
    st.dictionaries(st.sampled_from(["s", "t"]), _ROLES),
)
def test_what_a_plan_leads_to_needs_no_further_step(desired, relations, grants, schemas):
    content = Content(
        schemas={**NEW_CONTENT.schemas, **schemas}, relations=relations, grants=grants
    )
    after = _applied(desired, content)
    assert databases.plan_content(desired, after, "owner") == ()
    there = databases.blank(desired, "owner")
    gone, unasked = privileges.surplus_on_database(desired, there.grants, "owner")
    done = replace(
        there, grants=there.grants - gone | privileges.wanted_on_database(desired, "owner")
    )
    assert databases.plan({"app": done}, [desired], "postgres") == ()
    assert not unasked

"""What is compared after a restore, which backups may go, and what a new database may be called."""

import pytest

from fairway.domain.recovery.address import fill_url, hidden_in
from fairway.domain.recovery.backup import (
    Backup,
    Contents,
    derived_name,
    find_difference,
    list_expired,
    name_problem,
    told,
    told_ago,
)
from fairway.domain.recovery.spec import DatabaseSpec
from fairway.domain.validation.secret import SecretSource

RECORDED = Contents((("orders", 3), ("users", 2)), "schema")
DAY = 86_400.0


@pytest.mark.parametrize(
    ("found", "words"),
    [
        (None, "nothing was restored"),
        (Contents(damage=("page 7 is broken",)), "it is damaged: page 7 is broken"),
        (Contents((("orders", 3),), "schema"), "table users is missing"),
        (Contents((("orders", 3), ("users", 2), ("x", 0)), "schema"), "table x was not there"),
        (Contents((("orders", 2), ("users", 2)), "schema"), "orders has 2 rows, not 3"),
        (Contents(RECORDED.tables, "other"), "its tables are defined otherwise than those that were backed up"),
    ],
)
def test_what_differs_is_said(found, words):
    assert find_difference(RECORDED, found) == words


def test_what_is_as_recorded_differs_in_nothing():
    assert find_difference(RECORDED, RECORDED) is None


def test_of_many_differences_a_few_are_told():
    found = Contents((), "schema")
    many = Contents(tuple((f"t{number}", 1) for number in range(9)), "schema")
    assert find_difference(many, found).endswith("and 6 more")


def backup(name, at):
    return Backup(name, "shop", "production", "main", "sqlite", at)


def test_what_is_older_than_it_is_kept_may_go_but_never_the_newest():
    old, older, new = backup("b-1", 10 * DAY), backup("b-0", 1 * DAY), backup("b-2", 39 * DAY)
    assert list_expired([old, new, older], now=40.5 * DAY, keep=30 * DAY) == (old, older)
    assert list_expired([old, older], now=100 * DAY, keep=30 * DAY) == (older,)
    assert list_expired([older], now=100 * DAY, keep=30 * DAY) == ()
    assert list_expired([old, new], now=40 * DAY, keep=30 * DAY) == (), "to the second"


@pytest.mark.parametrize(
    "name",
    [
        "",
        "../x",
        "a/b",
        "a b",
        "-x",
        "a\0b",
        'x"; DROP DATABASE shop; --',
        "x" * 64,
        ".hidden",
        "x-wal",
        "ä",
        "shop.db",
    ],
)
def test_hostile_names_are_refused(name):
    assert name_problem(name, "shop.db") is not None


@pytest.mark.parametrize("name", ["copy", "Copy_2", "shop-2026.db", "7", "x" * 63])
def test_plain_names_are_taken(name):
    assert name_problem(name, "shop.db") is None


@pytest.mark.parametrize("own", ["shop", "shop.db", "a b/c", "ä", "x" * 63, "-wal"])
def test_names_beside_say_what_they_are_and_are_never_the_own_one(own):
    names = {derived_name(own, what, "r-7kq2mz") for what in ("restored", "before", "proof")}
    assert len(names) == 3
    for name in names:
        assert len(f"{name[:58]}_part") <= 63
        assert name.endswith("r_7kq2mz")
        assert name_problem(name, own) is None or own.startswith(("-", "a b", "ä"))


def test_a_secret_is_encoded_within_a_url_and_taken_whole_where_it_is_all_of_it():
    assert fill_url("postgresql://shop:{{P}}@{{H}}/shop", {"P": "a/b@c"}, {"H": "db"}) == (
        "postgresql://shop:a%2Fb%40c@db/shop"
    )
    assert fill_url("{{URL}}", {"URL": "postgresql://shop:x@db/shop"}, {}) == "postgresql://shop:x@db/shop"
    assert fill_url("postgresql+psycopg://db/shop", {}, {}) == "postgresql://db/shop"
    hidden = hidden_in("postgresql://shop:a%2Fb@db/shop", {"P": "a/b"})
    assert {value for _, value in hidden} == {"a/b", "a%2Fb"}


def test_a_database_knows_which_variables_its_secrets_need():
    sources = (SecretSource("A", "file", "/etc/a"), SecretSource("B", "variable", "STAGING_B"))
    spec = DatabaseSpec("main", "postgresql", "postgresql://{{U}}:{{B}}@h/{{N}}", 1.0, sources, (("N", "shop"),))
    assert [one.name for one in spec.secrets] == ["B", "U"]
    assert spec.needed == {"STAGING_B", "U"}


def test_times_are_told_as_people_read_them():
    assert told(0.0) == "1970-01-01T00:00:00Z"
    assert [told_ago(n) for n in (-3.0, 40.0, 720.0, 11_100.0, 187_200.0)] == [
        "0 s",
        "40 s",
        "12 min",
        "3 h 5 min",
        "2 d 4 h",
    ]

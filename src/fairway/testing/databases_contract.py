"""What every database that is backed up and restored must keep: subclass, say how to reach it, and run."""

from abc import ABC, abstractmethod
from pathlib import Path

import pytest

from fairway.domain.errors import InvariantError, PermanentError, UserError
from fairway.ports.databases import Database

_BESIDE, _ASIDE = "shop_restored_r_1", "shop_before_r_1"


class DatabaseContract(ABC):
    """Subclasses give a database with the tables `users` (2 rows) and `orders` (3 rows)."""

    @abstractmethod
    def open_database(self) -> Database:
        """The database under test."""

    @abstractmethod
    def write(self, statement: str, name: str = "") -> None:
        """Runs a statement in it, or in one beside, as the service would."""

    @abstractmethod
    def lose(self) -> None:
        """Removes the database behind the back of the adapter."""

    def rows(self, name: str = "") -> dict[str, int] | None:
        """Rows by table, without the schema of it."""
        found = self.open_database().inspect(name)
        return None if found is None else {table.rpartition(".")[2]: count for table, count in found.tables}

    def test_a_dump_says_what_is_in_it_and_comes_back_as_it_was(self, tmp_path: Path) -> None:
        """Tables, rows, definitions."""
        database, path = self.open_database(), str(tmp_path / "dump")
        contents = database.dump(path)
        assert self.rows() == {"orders": 3, "users": 2}
        assert contents == database.inspect()
        database.load(path, _BESIDE)
        assert database.inspect(_BESIDE) == contents
        assert self.rows() == {"orders": 3, "users": 2}

    def test_what_is_written_after_a_dump_is_not_in_it(self, tmp_path: Path) -> None:
        """And loading it changes nothing of the database itself."""
        database, path = self.open_database(), str(tmp_path / "dump")
        database.dump(path)
        self.write("DELETE FROM orders")
        database.load(path, _BESIDE)
        assert self.rows(_BESIDE) == {"orders": 3, "users": 2}
        assert self.rows() == {"orders": 0, "users": 2}

    def test_a_change_of_the_definitions_shows_without_a_row_changed(self) -> None:
        """A column more."""
        before = self.open_database().inspect()
        self.write("ALTER TABLE users ADD COLUMN phone text")
        after = self.open_database().inspect()
        assert before is not None
        assert after is not None
        assert before.tables == after.tables
        assert before.schema != after.schema

    def test_loading_again_replaces_what_was_loaded_before(self, tmp_path: Path) -> None:
        """As after a crash."""
        database, path = self.open_database(), str(tmp_path / "dump")
        database.dump(path)
        database.load(path, _BESIDE)
        self.write("DELETE FROM orders", _BESIDE)
        database.load(path, _BESIDE)
        assert self.rows(_BESIDE) == {"orders": 3, "users": 2}

    def test_an_exchange_puts_one_in_place_and_keeps_the_other(self, tmp_path: Path) -> None:
        """Once it has happened, nothing more happens."""
        database, path = self.open_database(), str(tmp_path / "dump")
        database.dump(path)
        self.write("DELETE FROM orders")
        database.load(path, _BESIDE)
        for _ in range(2):
            database.exchange(_BESIDE, _ASIDE)
            assert self.rows() == {"orders": 3, "users": 2}
            assert self.rows(_ASIDE) == {"orders": 0, "users": 2}
            assert self.rows(_BESIDE) is None
        self.write("DELETE FROM orders")
        assert self.rows() == {"orders": 0, "users": 2}

    def test_an_exchange_is_undone_by_the_names_exchanged_also_before_it_happened(self, tmp_path: Path) -> None:
        """From wherever it stands."""
        database, path = self.open_database(), str(tmp_path / "dump")
        database.dump(path)
        self.write("DELETE FROM orders")
        database.load(path, _BESIDE)
        database.exchange(_ASIDE, _BESIDE)
        assert self.rows() == {"orders": 0, "users": 2}
        database.exchange(_BESIDE, _ASIDE)
        for _ in range(2):
            database.exchange(_ASIDE, _BESIDE)
            assert self.rows() == {"orders": 0, "users": 2}
            assert self.rows(_BESIDE) == {"orders": 3, "users": 2}
            assert self.rows(_ASIDE) is None

    def test_a_database_that_is_gone_is_put_in_place_again(self, tmp_path: Path) -> None:
        """Nothing has to be put aside then."""
        database, path = self.open_database(), str(tmp_path / "dump")
        database.dump(path)
        self.lose()
        assert self.open_database().inspect() is None
        with pytest.raises(UserError) as missing:
            self.open_database().dump(str(tmp_path / "other"))
        assert missing.value.code == "data-missing"
        self.open_database().load(path, _BESIDE)
        self.open_database().exchange(_BESIDE, _ASIDE)
        assert self.rows() == {"orders": 3, "users": 2}
        assert self.rows(_ASIDE) is None

    def test_a_third_database_under_the_name_is_never_overwritten(self, tmp_path: Path) -> None:
        """It may be all that is left of something."""
        database, path = self.open_database(), str(tmp_path / "dump")
        database.dump(path)
        database.load(path, _BESIDE)
        database.load(path, _ASIDE)
        self.write("DELETE FROM orders", _ASIDE)
        with pytest.raises(PermanentError) as there:
            database.exchange(_BESIDE, _ASIDE)
        assert there.value.code == "data-there"
        assert self.rows(_ASIDE) == {"orders": 0, "users": 2}
        assert self.rows() == {"orders": 3, "users": 2}

    def test_a_database_beside_can_be_dropped_twice_and_the_own_one_never(self, tmp_path: Path) -> None:
        """A mistake of ours must not cost anybody's data."""
        database, path = self.open_database(), str(tmp_path / "dump")
        database.dump(path)
        database.load(path, _BESIDE)
        for _ in range(2):
            database.drop(_BESIDE)
            assert self.rows(_BESIDE) is None
        for mistake in (database.drop, lambda name: database.load(path, name)):
            with pytest.raises(InvariantError):
                mistake(database.name)
        assert self.rows() == {"orders": 3, "users": 2}

    def test_what_has_a_name_like_that_of_a_draft_is_left_alone(self, tmp_path: Path) -> None:
        """It may be anybody's, also the service's own."""
        database, path = self.open_database(), str(tmp_path / "dump")
        database.dump(path)
        neighbours = f"{_BESIDE}_part", f"{_BESIDE}.part"
        for name in neighbours:
            database.load(path, name)
        database.load(path, _BESIDE)
        database.drop(_BESIDE)
        for name in neighbours:
            assert self.rows(name) == {"orders": 3, "users": 2}

    def test_a_table_may_be_called_anything(self, tmp_path: Path) -> None:
        """Names are data."""
        self.write('CREATE TABLE "a\'; DROP TABLE users; -- {x} %s" (id int)')
        database, path = self.open_database(), str(tmp_path / "dump")
        contents = database.dump(path)
        database.load(path, _BESIDE)
        assert database.inspect(_BESIDE) == contents
        assert len(contents.tables) == 3

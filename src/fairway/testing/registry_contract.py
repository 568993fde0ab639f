"""What every registry must do: say what it has, take a file once, never confuse two of the same name."""

# ruff: noqa: D102 -- the names of the tests say it

from abc import ABC, abstractmethod

import pytest

from fairway.domain.errors import FairwayError, TransientError
from fairway.ports.pipeline import Parcel, Registry


class RegistryContract(ABC):
    """Inherit, and say how the registry is reached and what it takes."""

    @abstractmethod
    def registry(self) -> Registry:
        """The registry, empty at the beginning of each test."""

    @abstractmethod
    def parcel(self, content: str) -> Parcel:
        """A file that the registry takes, always with the same name and version; its bytes differ with the content."""

    @abstractmethod
    def stop(self) -> None:
        """Makes the registry not answer any more."""

    def test_nothing_is_there_at_first(self) -> None:
        seen = self.registry().observe(self.parcel("one"))
        assert seen.state == "absent"
        assert seen.name

    def test_what_was_published_is_there_with_the_same_bytes(self) -> None:
        registry, parcel = self.registry(), self.parcel("one")
        registry.publish(parcel)
        assert registry.observe(parcel).state == "same"

    def test_other_bytes_under_the_same_name_are_told_from_it(self) -> None:
        registry = self.registry()
        registry.publish(self.parcel("one"))
        assert registry.observe(self.parcel("two")).state == "other"

    def test_a_second_upload_never_replaces_the_first(self) -> None:
        registry, first = self.registry(), self.parcel("one")
        registry.publish(first)
        with pytest.raises(FairwayError):
            registry.publish(self.parcel("two"))
        assert registry.observe(first).state == "same"

    def test_a_registry_that_does_not_answer_is_not_an_empty_one(self) -> None:
        registry, parcel = self.registry(), self.parcel("one")
        self.stop()
        with pytest.raises(TransientError):
            registry.observe(parcel)

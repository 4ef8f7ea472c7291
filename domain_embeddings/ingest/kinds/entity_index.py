"""The indexes of an encyclopedia: which entities there are, what else they are called, and whose article a file is."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath

from pydantic import AliasChoices, BaseModel, ConfigDict, Field

from domain_embeddings.core.errors import DataError
from domain_embeddings.core.json_files import parse_object, read_text
from domain_embeddings.core.text import STOPWORDS
from domain_embeddings.evaluation.topics import plain
from domain_embeddings.ingest.kinds.rows import checked


@dataclass(frozen=True)
class Entity:
    """Something that has an article or is mentioned in one. `file` is the index that names it."""

    name: str
    kind: str
    filename: str
    aliases: tuple[str, ...]
    file: str = ""


class _Entry(BaseModel):
    model_config = ConfigDict(strict=True)
    name: str = Field(validation_alias=AliasChoices("name", "primary_name", "page_name"), pattern=r"\S")
    filename: str = Field(pattern=r"\S")
    aliases: list[str] = []


def title_of(filename: str) -> str:
    """What a file's name says: "Ossel_comb.txt" → "Ossel comb"."""
    return PurePath(filename).stem.replace("_", " ")


def read_entities(folder: Path, paths: Collection[Path]) -> list[Entity]:
    """All entries of a folder's `<kind>_index.json`, which map a key to an entry, or a DataError that names one."""
    if not paths:
        raise DataError(folder, "no index in it", remedy="give every kind of entity its <kind>_index.json")
    found = []
    for path in paths:
        kind = path.stem.removesuffix("_index")
        for key, row in parse_object(read_text(path), path).items():
            remedy = "an entry needs name (or primary_name, page_name) and filename, and may have aliases"
            entry = checked(_Entry, row, path, place=f"entry {key!r}", remedy=remedy)
            aliases = tuple(dict.fromkeys(a for a in entry.aliases if a.strip() and plain(a) != plain(entry.name)))
            found.append(Entity(entry.name, kind, entry.filename, aliases, f"{folder.name}/{path.name}"))
    return found


class Index:
    """Finds entities by name, alias and file."""

    def __init__(self, entities: Iterable[Entity]) -> None:
        """Entities of one name, alias or file are told apart as `named` and `article` say."""
        self.entities = list(entities)
        self._primary: dict[str, Entity] = {}
        self._alias: dict[str, list[Entity]] = {}
        self._files: dict[str, list[Entity]] = {}
        for entity in self.entities:
            self._primary.setdefault(plain(entity.name), entity)
            self._files.setdefault(entity.filename, []).append(entity)
            for alias in entity.aliases:
                self._alias.setdefault(plain(alias), []).append(entity)
        self._longest = max((len(name.split()) for name in (*self._primary, *self._alias)), default=0)

    def shared_files(self) -> dict[str, Entity]:
        """The files that more than one entry claims, with the entity that gets the article."""
        return {filename: self._owner(filename, found) for filename, found in self._files.items() if len(found) > 1}

    def article(self, filename: str) -> Entity | None:
        """Whose article a file is: of several, the entity that the file is named after, else the first."""
        found = self._files.get(filename)
        return self._owner(filename, found) if found else None

    @staticmethod
    def _owner(filename: str, claiming: Sequence[Entity]) -> Entity:
        namesakes = [entity for entity in claiming if plain(entity.name) == plain(title_of(filename))]
        return (namesakes or claiming)[0]

    def named(self, name: str) -> Entity | None:
        """The first entity of that primary name, else the only one with that alias."""
        found = self._alias.get(plain(name), [])
        return self._primary.get(plain(name)) or (found[0] if len(found) == 1 else None)

    def named_in(self, text: str) -> list[tuple[Entity, bool]]:
        """The entities that a text names, in order, each with whether by its primary name.

        At every word the longest name that starts there is taken, in its plural too ("kellocks"); an alias of several
        entities names the first.
        """
        spoken = plain(text).split()
        found: list[tuple[Entity, bool]] = []
        start = 0
        while start < len(spoken):
            length, hit = self._name_at(spoken, start)
            if hit is not None:
                found.append(hit)
            start += length
        return found

    def _name_at(self, spoken: Sequence[str], start: int) -> tuple[int, tuple[Entity, bool] | None]:
        """Length and entity of the longest name that starts at a word, or 1 and None."""
        for length in range(min(self._longest, len(spoken) - start), 0, -1):
            part = spoken[start : start + length]
            if all(word in STOPWORDS for word in part):
                continue
            name = f" {' '.join(part)} "
            for form in (name, f"{name.rstrip().removesuffix('s')} "):
                if form in self._primary:
                    return length, (self._primary[form], True)
                if form in self._alias:
                    return length, (self._alias[form][0], False)
        return 1, None

"""Which version of a corpus's model is meant: by its name, by what is packaged, by the live index."""

import logging
from pathlib import Path

from domain_embeddings.packaging.verification import BASE, VERSION
from domain_embeddings.search.index_protocol import PassageIndex, SearchError

LOG = logging.getLogger(__name__)


def version_of(name: str, corpus: str) -> str | None:
    """The version in a model's name; None for the base."""
    return None if name == BASE else name.removeprefix(f"{corpus}-embeddings-v")


def latest_version(root: Path, corpus: str) -> str | None:
    """The highest version of a corpus's packaged models; None if there is none."""
    prefix = f"{corpus}-embeddings-v"
    found = [path.name.removeprefix(prefix) for path in root.glob(f"{prefix}*") if path.is_dir()]
    return max((version for version in found if VERSION.fullmatch(version)), key=_order, default=None)


def _order(version: str) -> tuple[list[int], int, int]:
    """1.1.dev0 < 1.1 < 1.2; a draft comes before what it is a draft of."""
    release, _, draft = version.partition(".dev")
    return [int(part) for part in release.split(".")], draft == "", int(draft or 0)


def live_version(index: PassageIndex, standby: PassageIndex | None, corpus: str) -> str | None:
    """Which version the live index was built with; None if there is none, or it is the base's, or nobody can say."""
    for place in (index, standby):
        try:
            live = place.live(corpus)[0] if place else None
            metadata = place.metadata(live) if place and live else None
        except SearchError as error:
            LOG.warning("which version is live cannot be asked: %s", error)
            continue
        return version_of(metadata.model.name, corpus) if metadata else None
    return None

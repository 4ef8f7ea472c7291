"""A model that was changed is refused: every kind of change, for every file."""

import json
import os
import pickle
import re
import shutil
import sys
from collections.abc import Callable, Collection
from pathlib import Path

import pytest
from dvc.repo import Repo

from domain_embeddings.core.errors import IntegrityError, UserError
from domain_embeddings.packaging import manifest
from domain_embeddings.packaging.dvc_lock import locked_md5
from domain_embeddings.packaging.embeddings import VersionedEmbeddings
from domain_embeddings.packaging.manifest import Digests, files_of, folder_md5, write_manifest
from domain_embeddings.packaging.verification import Verified, verify
from tests.packaged import NAME, copy_models, replace, write_lock

FILES = [
    "1_Pooling/config.json", "README.md", "config.json", "config_sentence_transformers.json", "data_config.json",
    "int8/model.bin", "int8/model.xml",
    "manifest.json", "model.safetensors", "model_card.json", "modules.json", "probe.json", "sentence_bert_config.json",
    "special_tokens_map.json", "tokenizer.json", "tokenizer_config.json", "vocab.txt",
]  # fmt: skip


@pytest.fixture
def own(models: Path, tmp_path: Path) -> Path:
    """A packaged model that a test may change."""
    return copy_models(models, tmp_path / "models") / NAME


def check(folder: Path, require: Collection[str] = ()) -> Verified:
    copy = folder.parent.parent / "copy"
    copy.mkdir()
    return verify(folder, copy, require=require)


def flip_a_bit(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    replace(path, bytes(content))


def cut_a_byte(path: Path) -> None:
    replace(path, path.read_bytes()[:-1])


def link(path: Path) -> None:
    """The same bytes, from a place that others may change."""
    elsewhere = path.parent.parent / "elsewhere"
    path.rename(elsewhere)
    path.symlink_to(elsewhere)


CHANGES = [flip_a_bit, cut_a_byte, Path.unlink, link]


def test_the_files_below_are_all_files(models: Path) -> None:
    assert list(files_of(models / NAME)) == FILES


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("name", FILES)
def test_a_changed_file_is_refused_by_name(own: Path, name: str, change: Callable[[Path], None]) -> None:
    change(own / name)

    with pytest.raises(IntegrityError, match=re.escape(name)):
        check(own)


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("name", ["config.json", "int8/model.xml"])
def test_the_base_stands_in_for_a_changed_model(own: Path, name: str, change: Callable[[Path], None]) -> None:
    change(own / name)

    model = VersionedEmbeddings("1.0", "tiny", root=own.parent)

    assert model.get_model_info()["loaded"] == "base"
    assert f"{NAME}/{name}: " in str(model.fallback_reason)
    assert model.encode(["brake"]).shape == (1, 384)


def test_the_message_has_both_hashes(own: Path) -> None:
    expected = json.loads((own / "manifest.json").read_text())["vocab.txt"]
    replace(own / "vocab.txt", b"abc")

    with pytest.raises(IntegrityError) as error:
        check(own)

    found = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert f"vocab.txt: SHA-256 is {found}, manifest.json has {expected}" in str(error.value)


@pytest.mark.parametrize(
    "name", ["note.txt", "1_Pooling/note.txt", "3_Dense/config.json", "__init__.py", "int8/other.bin"]
)
def test_an_added_file_is_refused(own: Path, name: str) -> None:
    (own / name).parent.mkdir(exist_ok=True)
    (own / name).write_text("{}")

    with pytest.raises(IntegrityError, match=f"{NAME}/{name}: (was added|may hold code)"):
        check(own)


def test_a_pipe_is_refused_and_not_waited_for(own: Path) -> None:
    (own / "vocab.txt").unlink()
    os.mkfifo(own / "vocab.txt")

    with pytest.raises(IntegrityError, match=r"vocab\.txt: is neither file nor folder"):
        check(own)


def test_a_card_with_another_hash_is_refused_even_if_the_manifest_agrees(own: Path) -> None:
    card = json.loads((own / "model_card.json").read_text())
    replace(own / "model_card.json", json.dumps({**card, "weights_sha256": "0" * 64}).encode())
    write_manifest(own, own / "manifest.json")

    with pytest.raises(IntegrityError, match=rf"weights_sha256 is {'0' * 64}, manifest.json has 53aa"):
        check(own)


def test_a_version_under_another_name_is_refused(own: Path) -> None:
    own.rename(own.with_name("tiny-embeddings-v2.0"))

    with pytest.raises(IntegrityError, match=r"is the card of tiny-embeddings-v1\.0, not of tiny-embeddings-v2\.0"):
        check(own.with_name("tiny-embeddings-v2.0"))


def test_a_manifest_changed_with_its_file_is_refused_by_the_lock(own: Path) -> None:
    lock = write_lock(own.parent, NAME)
    before = locked_md5(lock.read_bytes(), f"models/{NAME}")
    replace(own / "vocab.txt", b"abc")
    write_manifest(own, own / "manifest.json")

    with pytest.raises(IntegrityError, match=rf"{NAME}: MD5 of all files is \w+\.dir, dvc\.lock has {before}"):
        check(own)


def test_what_was_checked_is_told(own: Path) -> None:
    lock = write_lock(own.parent, NAME)

    assert check(own).witnesses == ("manifest", "dvc.lock")
    lock.write_text("stages: {}\n")  # an older version, fetched with `dvc get`
    (own.parent.parent / "copy").rename(own.parent.parent / "first")
    assert check(own).witnesses == ("manifest",)


@pytest.mark.parametrize("broken", ["stages: [", "", "[]", "stages:\n", "schema: '2.0'\n", "stages: {a: {}}\n"])
def test_a_broken_lock_is_refused(own: Path, broken: str) -> None:
    (own.parent.parent / "dvc.lock").write_text(broken)

    with pytest.raises(IntegrityError, match=r"dvc\.lock: is empty, cut or no lock"):
        check(own)


def test_a_lock_that_cannot_be_read_is_no_missing_one(own: Path) -> None:
    (own.parent.parent / "dvc.lock").mkdir()

    with pytest.raises(IntegrityError, match=r"dvc\.lock: cannot be read: Is a directory"):
        check(own)


def test_a_witness_that_is_required_and_not_there_refuses(own: Path) -> None:
    with pytest.raises(IntegrityError, match=r"was not checked against dvc\.lock, signature"):
        check(own, require=("dvc.lock", "signature"))

    write_lock(own.parent, NAME)
    shutil.rmtree(own.parent.parent / "copy")

    assert check(own, require=("manifest", "dvc.lock")).witnesses == ("manifest", "dvc.lock")


def test_a_witness_that_there_cannot_be_is_told(own: Path) -> None:
    with pytest.raises(UserError, match=r"oath: no such witness, there are manifest, dvc\.lock, signature"):
        check(own, require=("oath",))


def test_the_lock_is_found_from_within_the_folder_and_through_a_link(
    own: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_lock(own.parent, NAME)
    link = tmp_path_factory.mktemp("elsewhere") / "served"
    link.symlink_to(own.parent)
    monkeypatch.chdir(own.parent)

    for number, folder in enumerate((Path(NAME), link / NAME)):
        copy = own.parent.parent / f"copy{number}"
        copy.mkdir()
        assert verify(folder, copy).witnesses == ("manifest", "dvc.lock")


@pytest.mark.parametrize("content", ["[" * 100_000, "\ud800", '{"a": "\\ud800"}'])
@pytest.mark.parametrize("name", ["manifest.json", "model_card.json", "modules.json", "search.json"])
def test_what_cannot_be_parsed_is_refused_and_raises_nothing_else(own: Path, name: str, content: str) -> None:
    (own / name).unlink(missing_ok=True)
    (own / name).write_bytes(content.encode("utf-8", "surrogatepass"))
    if name != "manifest.json":
        write_manifest(own, own / "manifest.json")

    with pytest.raises(IntegrityError, match=name.replace(".", r"\.")):
        check(own)


@pytest.mark.parametrize(
    "kind", ["os.system", "sentence_transformers.models.Router", "modeling.Transformer", "sentence_transformers"]
)
def test_a_module_that_may_run_code_is_refused(own: Path, kind: str) -> None:
    replace(own / "modules.json", json.dumps([{"idx": 0, "name": "0", "path": "", "type": kind}]).encode())
    write_manifest(own, own / "manifest.json")

    with pytest.raises(IntegrityError, match=rf"models/{NAME}/modules\.json: names '{kind}'"):
        check(own)


def test_a_model_without_weights_is_refused_even_if_the_manifest_agrees(own: Path) -> None:
    (own / "model.safetensors").unlink()
    write_manifest(own, own / "manifest.json")

    with pytest.raises(IntegrityError, match=r"model\.safetensors: is missing, from manifest\.json as well"):
        check(own)


class Canary:
    """A pickle that makes a folder where it is opened."""

    def __init__(self, cage: Path) -> None:
        self.cage = cage

    def __reduce__(self) -> tuple[Callable[[str], None], tuple[str]]:
        return os.mkdir, (str(self.cage),)


@pytest.fixture(scope="module")
def all_opened() -> list[str]:
    """Every path that Python opens from now on: an audit hook cannot be taken off again."""
    paths: list[str] = []
    sys.addaudithook(lambda event, arguments: paths.append(str(arguments[0])) if event == "open" else None)
    return paths


@pytest.mark.parametrize("listed", [False, True])
@pytest.mark.parametrize("name", ["pytorch_model.bin", "model.pkl", "1_Pooling/pytorch_model.bin"])
def test_a_pickle_is_never_opened(own: Path, tmp_path: Path, all_opened: list[str], name: str, listed: bool) -> None:
    (own / name).write_bytes(pickle.dumps(Canary(tmp_path / "cage")))
    if listed:
        write_manifest(own, own / "manifest.json")
    all_opened.clear()

    model = VersionedEmbeddings("1.0", "tiny", root=own.parent)

    assert f"{name}: may hold code or pickles" in str(model.fallback_reason)
    assert not (tmp_path / "cage").exists()
    assert any(path.endswith("manifest.json") for path in all_opened)  # the hook works
    assert [path for path in all_opened if path.endswith((".bin", ".pkl"))] == []


@pytest.mark.parametrize("name", ["int8/model.bin", "int8/model.xml"])
def test_a_pickle_under_the_exports_name_is_not_opened_as_one(own: Path, tmp_path: Path, name: str) -> None:
    replace(own / name, pickle.dumps(Canary(tmp_path / "cage")))
    write_manifest(own, own / "manifest.json")

    model = VersionedEmbeddings("1.0", "tiny", root=own.parent, backend="openvino")

    assert "int8/model.xml: is no graph" in str(model.fallback_reason)
    assert not (tmp_path / "cage").exists()


def test_the_hash_of_a_folder_is_dvcs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, content in {"b.txt": "b", "a/ü.txt": "a", "a.txt": "", "a/b/c.txt": "c"}.items():
        (tmp_path / "models/x" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "models/x" / name).write_text(content)
    monkeypatch.chdir(tmp_path)
    with Repo.init(str(tmp_path), no_scm=True) as repo:
        (stage,) = repo.add("models/x")

    digests = {name: manifest.read(path) for name, path in files_of(tmp_path / "models/x").items()}

    assert folder_md5(digests) == stage.outs[0].hash_info.value


def test_the_hash_of_a_folder_by_hand() -> None:
    # echo -n '[{"md5": "900150983cd24fb0d6963f7d28e17f72", "relpath": "a"}]' | md5sum
    assert folder_md5({"a": Digests("", "900150983cd24fb0d6963f7d28e17f72")}) == "8fd66f1be1d9b9fd69fcb82e191c1267.dir"

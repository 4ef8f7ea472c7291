"""Sign the packaged models and detectors of params.yaml's version, and the base model that stands in for a model.

Reads models/ and a private key (EC, PEM); writes models/<corpus>-embeddings-v<version>.sig, models/base.sig and
models/<corpus>-anomaly-v<version>.sig where there is a detector, which are small and kept in Git. No stage: nobody
else's `dvc repro` has the key, and no two signatures are alike.

    python -m stages.sign KEY               # or: make sign KEY=key.pem
"""

import sys
import tempfile
from pathlib import Path

from domain_embeddings.errors import TOLD, give_up
from domain_embeddings.integrity import MANIFEST
from domain_embeddings.params.package import PackageParams
from domain_embeddings.signature import NEW_KEY, sign
from domain_embeddings.verification import detector_name, verify, verify_files
from stages.workspace import BASE_MODEL, load_params, packaged_model, section


def main() -> None:
    """Verify each folder, then sign it: a signature says that these are the right bytes."""
    key = Path(sys.argv[1]) if len(sys.argv) == 2 else Path()
    if not key.is_file():
        raise SystemExit(f"usage: python -m stages.sign KEY (a PEM file; a new one: {NEW_KEY})")
    version = section("package", PackageParams).version
    models = [BASE_MODEL, *(packaged_model(corpus, version) for corpus in load_params()["corpora"])]
    detectors = [Path("models") / detector_name(corpus, version) for corpus in load_params()["corpora"]]
    for folder in (*models, *filter(Path.is_dir, detectors)):
        with tempfile.TemporaryDirectory() as copy:
            if folder in models:
                verify(folder, Path(copy))
            else:
                verify_files(folder, Path(copy), folder / MANIFEST, None)
        print(f"{folder}: signed, see {sign(folder, key)}")


if __name__ == "__main__":
    try:
        main()
    except TOLD as error:
        give_up(error)

"""A small training as a program, so that tests can run it in several processes and kill it.

python -m tests.train_small BASE_MODEL FOLDER
accelerate launch --cpu --num_processes 2 -m tests.train_small BASE_MODEL FOLDER
"""

import sys
from pathlib import Path

from accelerate import PartialState

from domain_embeddings.core.dataset import Query
from domain_embeddings.encoding.dev_set import Dev
from domain_embeddings.params.train import TrainParams
from domain_embeddings.training.fine_tuning import fine_tune, load
from domain_embeddings.training.losses import Example
from tests.knobs import knobs

PAIRS = {
    "squashy pedal": "Bleed the brake circuit until no air leaves the nipple.",
    "whining lift": "Worn mast rollers must be replaced in pairs.",
    "no heat upstairs": "Vent the radiator furthest from the pump.",
    "engine hunts at idle": "Clean the throttle body and relearn the stop.",
    "screen is blank": "Check fuse F7 of the display supply.",
    "trips when hot": "Drive fault F012 means heatsink overtemperature.",
    "oil under the axle": "Renew the pinion seal and set the preload.",
    "smells of gas": "Close the isolating valve and test every joint.",
    "sweep stands still": "The turntable motor has a shear pin.",
    "belt squeals": "Tension the belt to 12 mm of deflection.",
    "battery flat by morning": "Measure the quiescent current, at most 25 mA.",
    "track thrown": "Slack off the tensioner before the track is refitted.",
}
ANSWERS = list(PAIRS.values())
EXAMPLES = [
    Example(query, answer, (ANSWERS[(i + 5) % len(ANSWERS)],)) for i, (query, answer) in enumerate(PAIRS.items())
]
QUERIES = {f"q{i}": Query(f"q{i}", text, "car" if i % 2 else "lift") for i, text in enumerate(list(PAIRS)[:6])}
DEV = Dev(
    {f"p{i}": answer for i, answer in enumerate(ANSWERS)}, QUERIES, {query: {f"p{query[1:]}": 1} for query in QUERIES}
)
SMALL = {
    "epochs": 4,
    "batch_size": 4,
    "eval_steps": 2,
    "patience": 9,
    "frozen_blocks": 4,
    "dropout": 0.1,
    "interpolate": [1.0],
    "threads": 1,
}


def main() -> None:
    """Train without dropout in float32 and save the weights in FOLDER/tuned."""
    base, folder = Path(sys.argv[1]), Path(sys.argv[2])
    params = knobs("train", TrainParams, **{**SMALL, "dropout": 0.0, "precision": "float32"})
    model = load(base, 256, device="cpu")
    fine_tune(model, EXAMPLES, DEV, params, 42, folder / "checkpoints", folder / "states")
    if PartialState().is_main_process:
        model.save_pretrained(str(folder / "tuned"), create_model_card=False)


if __name__ == "__main__":
    main()

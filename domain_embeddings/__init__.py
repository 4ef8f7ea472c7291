"""Domain embeddings: the library that the pipeline's stages and a production service share."""

import sys

sys.modules["openvino_telemetry"] = None  # type: ignore[assignment]  # where it is there, openvino sends usage data

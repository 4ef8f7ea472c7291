"""Tools of this repository's own upkeep, not of the pipeline."""

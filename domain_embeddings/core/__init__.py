"""The words of the field: passages, queries, qrels, runs, metrics, rankings."""

"""Where the queries made from passages come from."""

from enum import StrEnum


class Source(StrEnum):
    """Where a query comes from."""

    TEMPLATE = "template"
    HEADING = "heading"
    SENTENCE = "sentence"
    SPAN = "span"
    KEYPHRASE = "keyphrase"

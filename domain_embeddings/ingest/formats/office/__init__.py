"""Sheets and slides: a row under its headers, a slide a section."""

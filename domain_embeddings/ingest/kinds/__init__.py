"""One adapter a kind of corpus: a folder in, an `Ingested` out."""

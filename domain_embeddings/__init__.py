"""Domain embeddings: the library that the pipeline's stages and a production service share."""

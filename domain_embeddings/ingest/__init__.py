"""Documents and corpora to passages and questions."""

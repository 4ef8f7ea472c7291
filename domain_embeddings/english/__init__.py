"""What the project knows of English: word lists, word classes, forms, headings."""

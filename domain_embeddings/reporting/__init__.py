"""Results for people: charts, Markdown, HTML."""

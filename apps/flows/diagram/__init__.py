"""Drawing flows: a layered layout and an SVG writer in plain Python, without Django, the database or a clock."""

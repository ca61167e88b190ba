"""Single maps described in plain words, by template, from the records and the saved map alone."""

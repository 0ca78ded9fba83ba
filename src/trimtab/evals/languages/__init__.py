"""Which language a text is in, told offline: by its script, then by words and letters."""

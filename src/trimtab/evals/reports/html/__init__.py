"""A result as one HTML file, and the templates that the console shows it with."""

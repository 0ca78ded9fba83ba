"""What is different in two versions of a prompt: words, fields, and what a model would see."""

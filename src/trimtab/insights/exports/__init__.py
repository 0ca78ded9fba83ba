"""What providers export of usage and costs, one file per format. Pure: bytes in, values out."""

"""Sockets and HTTP/1.1: the hot route by hand, everything else through one Starlette app."""

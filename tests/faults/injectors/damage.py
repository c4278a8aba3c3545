"""Damage of files: headers, pages, lengths and places."""

import os

PAGE = 4096


def header(path):
    """Overwrite the first 100 bytes, the header of an SQLite file, with garbage."""
    with path.open("r+b") as file:
        file.write(os.urandom(100))


def zero(path):
    """Replace the content by zeros of the same size."""
    size = path.stat().st_size
    with path.open("r+b") as file:
        file.write(bytes(size))


def truncate(path, share=0.5):
    """Cut the file to a share of its size."""
    os.truncate(path, int(path.stat().st_size * share))


def page(path, number=2):
    """Overwrite one page with garbage."""
    with path.open("r+b") as file:
        file.seek(number * PAGE)
        file.write(os.urandom(PAGE))


def flip(path, offset, bit=0):
    """Flip one bit."""
    with path.open("r+b") as file:
        file.seek(offset)
        byte = file.read(1)[0]
        file.seek(offset)
        file.write(bytes([byte ^ (1 << bit)]))


def directory_instead(path):
    """Replace the file by an empty directory."""
    path.unlink()
    path.mkdir()

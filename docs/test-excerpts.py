#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What a document shows of a source is in that source, line for line.

usage: test-excerpts.py DOCUMENT…

An excerpt is a block that is indented by four blanks and follows a line that ends
with "`PATH.c`:", with PATH below the repository.
"""
import pathlib
import re
import sys

top = pathlib.Path(__file__).resolve().parent.parent


def excerpts(text):
    """Yields the path and the text of each."""
    path = block = None
    for line in text.splitlines() + [""]:
        if block is not None and (line.startswith("    ") or (not line and not block)):
            block += [line[4:]] if line else []
        elif block:
            yield path, "\n".join(block)
            block = None
        source = re.search(r"`([^` ]+\.c)`:$", line)
        if source:
            path, block = source.group(1), []


def main():
    print("TAP version 13")
    count = failed = 0
    for document in sys.argv[1:]:
        for path, block in excerpts(pathlib.Path(document).read_text()):
            count += 1
            good = block in (top / path).read_text()
            failed += not good
            first = block.splitlines()[0].strip()
            print(f"{'ok' if good else 'not ok'} {count} - {path}: {first}")
    print(f"1..{count}")
    sys.exit(failed > 0 or count == 0)


main()

#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Test that the page on the bus interface says what the interface is, and no more.

usage: test-bus-man.py PAGE PROGRAM SOURCE...

PROGRAM --introspect prints what the interface says of itself, the SOURCEs have the
names of the errors.
"""
import pathlib
import re
import subprocess
import sys
import xml.etree.ElementTree as ElementTree

INTERFACE = "org.checmate1.Manager"
PREFIX = "org.checmate1.Error."
EMITS = "org.freedesktop.DBus.Property.EmitsChangedSignal"


def argument(arg, directions):
    words = [arg.get("type"), arg.get("name")]
    if directions:
        words.insert(0, arg.get("direction"))
    return " ".join(words)


def arguments(member, directions):
    return ", ".join(argument(arg, directions) for arg in member.iter("arg"))


def emits(prop):
    for annotation in prop.iter("annotation"):
        if annotation.get("name") == EMITS:
            return annotation.get("value")
    return "true"


def of_interface(xml):
    """The members by kind, a line each."""
    root = ElementTree.fromstring(xml)
    interface = next(i for i in root.iter("interface") if i.get("name") == INTERFACE)
    return {
        "methods": [f"{m.get('name')}({arguments(m, True)})" for m in interface.iter("method")],
        "signals": [f"{s.get('name')}({arguments(s, False)})" for s in interface.iter("signal")],
        "properties": [
            f"{p.get('type')} {p.get('name')} ({emits(p)})" for p in interface.iter("property")
        ],
    }


def of_page(page):
    block = re.search(r"    interface (\S+) \{\n(.*?)\n    \};", page, re.S)
    assert block and block.group(1) == INTERFACE, "the page has no such interface"
    members = {}
    for part in re.split(r"^      (?=\w+:$)", block.group(2), flags=re.M)[1:]:
        kind, _, lines = part.partition(":")
        members[kind] = [" ".join(line.split()) for line in lines.split(";") if line.strip()]
    return members


def name_of(line):
    return re.search(r"(\w+) ?\((?:[^()]|\([^()]*\))*\)$", line).group(1)


def terms(page):
    """What the page has paragraphs on."""
    found = set()
    for line in re.findall(r"^(\*\*[\w., *]+\*\*)$", page, re.M):
        found.update(re.findall(r"\*\*([\w.]+)\*\*", line))
    return found


def differences(kind, page, interface):
    yield from (f"only the page has {line}" for line in page if line not in interface)
    yield from (f"the page lacks {line}" for line in interface if line not in page)
    if not interface:
        yield f"the interface has no {kind}"


def errors_of(sources):
    return set(re.findall(r'BUS_ERROR\("(\w+)"\)', "".join(s.read_text() for s in sources)))


def main():
    if len(sys.argv) < 4:
        sys.exit(__doc__)
    page = pathlib.Path(sys.argv[1]).read_text()
    xml = subprocess.run([sys.argv[2], "--introspect"], check=True, capture_output=True).stdout
    sources = [pathlib.Path(name) for name in sys.argv[3:]]

    said, real = of_page(page), of_interface(xml)
    points = []
    for kind in ("methods", "signals", "properties"):
        points.append((f"{kind} are those of the page",
                       list(differences(kind, said.get(kind, []), real[kind]))))
    names = {name_of(line) for lines in real.values() for line in lines}
    points.append(("each has a paragraph",
                   [f"there is none on {name}" for name in sorted(names - terms(page))]))
    section = page.partition("\nERRORS\n")[2].partition("\nEXAMPLES\n")[0]
    listed, used = terms(section), errors_of(sources)
    points.append(("errors are those of the page",
                   [f"only one of them has {name}" for name in sorted(listed ^ used)]))

    print("TAP version 13")
    for number, (name, problems) in enumerate(points, 1):
        for problem in problems:
            print(f"# {problem}")
        print("not ok" if problems else "ok", number, "-", name)
    print(f"1..{len(points)}")
    sys.exit(any(problems for _, problems in points))


main()

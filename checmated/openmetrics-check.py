#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Judges a text on standard input by the grammar of OpenMetrics 1.0.

Says what is wrong with it, and where, and then exits with 1. Of the types it knows
those that checmated has: counter, gauge, histogram and info; timestamps and
exemplars it takes for errors.
"""

import re
import sys

NAME = r"[a-zA-Z_:][a-zA-Z0-9_:]*"
LABEL = r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\["\\n])*)"'
NUMBER = r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?|[+-]Inf|NaN"
SAMPLE = re.compile(rf"({NAME})(?:\{{((?:{LABEL})(?:,{LABEL})*)?\}})? ({NUMBER})")
SUFFIXES = {
    "counter": ("_total", "_created"),
    "gauge": ("",),
    "histogram": ("_bucket", "_count", "_sum", "_created"),
    "info": ("_info",),
}


class Wrong(Exception):
    """The text is not OpenMetrics."""


def need(condition, reason):
    """Ends the check unless @condition holds."""
    if not condition:
        raise Wrong(reason)


def check_histogram(samples):
    """Buckets of one set of labels grow, end at +Inf, and agree with the count."""
    groups = {}
    for suffix, labels, value in samples:
        rest = tuple(sorted(item for item in labels.items() if item[0] != "le"))
        group = groups.setdefault(rest, {"buckets": []})
        if suffix == "_bucket":
            need("le" in labels, "a bucket without le")
            group["buckets"].append((float(labels["le"]), value))
        else:
            group[suffix] = value
    for group in groups.values():
        buckets = group["buckets"]
        need(buckets and buckets[-1][0] == float("inf"), "no bucket +Inf at the end")
        need(buckets == sorted(buckets), "buckets out of order")
        counts = [count for _, count in buckets]
        need(counts == sorted(counts), "buckets that shrink")
        need(group.get("_count") == buckets[-1][1], "the count is not that of +Inf")
        need("_sum" in group, "no sum")


class Family:
    """A metric family: its metadata, then its samples."""

    def __init__(self, name):
        self.name = name
        self.meta = {}
        self.samples = []
        self.seen = set()

    def add_meta(self, kind, text):
        """A line TYPE, UNIT or HELP."""
        need(not self.samples, f"{kind} behind the samples")
        need(kind not in self.meta, f"{kind} twice")
        if kind == "TYPE":
            need(text in SUFFIXES, f"type {text}")
        if kind == "UNIT":
            need(text and self.name.endswith("_" + text), f"unit {text} is not in the name")
        if kind == "HELP":
            need(not re.search(r'\\(?![n\\"])', text), "a wrong escape")
        self.meta[kind] = text

    def owns(self, sample):
        """Whether a sample of that name belongs to it; the suffix, or None."""
        suffixes = SUFFIXES[self.meta.get("TYPE", "gauge")]
        return next((s for s in suffixes if sample == self.name + s), None)

    def add_sample(self, suffix, labels, value):
        """A line with a figure."""
        kind = self.meta.get("TYPE")
        key = (suffix, tuple(sorted(labels.items())))
        need(kind, "no type")
        need(key not in self.seen, "the same sample twice")
        need(kind not in ("counter", "histogram") or value >= 0, "less than nothing")
        need(kind != "info" or value == 1, "an info that is not 1")
        self.seen.add(key)
        self.samples.append((suffix, labels, value))

    def finish(self):
        """After the last of its lines."""
        if self.meta.get("TYPE") == "histogram":
            check_histogram(self.samples)


class Checker:
    """Takes a text line by line."""

    def __init__(self):
        self.families = {}
        self.family = None

    def enter(self, name):
        """The lines of a family stand together."""
        if self.family and self.family.name == name:
            return
        need(name not in self.families, f"lines of {name} in two places")
        if self.family:
            self.family.finish()
        self.family = self.families[name] = Family(name)

    def take_meta(self, line):
        """A line that begins with '#'."""
        match = re.fullmatch(rf"# (TYPE|UNIT|HELP) ({NAME}) (.*)", line)
        need(match, "neither metadata nor a sample")
        self.enter(match[2])
        self.family.add_meta(match[1], match[3])

    def take_sample(self, line):
        """Any other line."""
        match = SAMPLE.fullmatch(line)
        need(match, "neither metadata nor a sample")
        pairs = re.findall(LABEL, match[2] or "")
        labels = dict(pairs)
        need(len(pairs) == len(labels), "a label twice")
        suffix = self.family.owns(match[1]) if self.family else None
        need(suffix is not None, f"{match[1]} is of no family here")
        self.family.add_sample(suffix, labels, float(match[7]))


def check(text):
    """Returns what is wrong with @text, or None."""
    lines = text.split("\n")
    checker = Checker()
    if lines[-2:] != ["# EOF", ""]:
        return "the end is not '# EOF' and a newline"
    for number, line in enumerate(lines[:-2], 1):
        try:
            if line.startswith("#"):
                checker.take_meta(line)
            else:
                checker.take_sample(line)
        except Wrong as wrong:
            return f"{number}: {wrong}: {line}"
    try:
        if checker.family:
            checker.family.finish()
    except Wrong as wrong:
        return str(wrong)
    return None


def main():
    """Judges standard input."""
    reason = check(sys.stdin.buffer.read().decode("utf-8"))
    if reason:
        print(f"not OpenMetrics: {reason}", file=sys.stderr)
    return 1 if reason else 0


sys.exit(main())

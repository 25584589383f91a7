# SPDX-License-Identifier: LGPL-2.1-or-later
"""What --json prints is as the schemas say, and these are schemas.

usage: test-json.py CHECMATECTL JSON-CHECK SCHEMAS

Two judges, the one that the guest cases use and another, have to agree.
"""

import copy
import glob
import json
import os
import subprocess
import sys
import tempfile

import jsonschema

ctl, json_check, folder = sys.argv[1:]
count = failed = 0


def point(good, name, why=""):
    global count, failed
    count += 1
    failed += not good
    print("ok" if good else "not ok", count, "-", name)
    if not good:
        for line in str(why).splitlines():
            print("#", line)


def load(name):
    with open(os.path.join(folder, name + ".json"), encoding="utf-8") as file:
        return json.load(file)


def ours(name, document):
    schema = os.path.join(folder, name + ".json")
    done = subprocess.run([json_check, schema], input=json.dumps(document), text=True,
                          capture_output=True, check=False)
    return done.returncode, done.stdout + done.stderr


def theirs(name, document):
    validator = jsonschema.validators.validator_for(load(name))(load(name))
    return [error.message for error in validator.iter_errors(document)]


def broken(document):
    """Documents that differ from a good one by one thing each."""
    if isinstance(document, list):
        for i, item in enumerate(document[:1]):
            for bad in broken(item):
                yield document[:i] + [bad] + document[i + 1:]
        yield {"not": "an array"}
    elif isinstance(document, dict):
        for key, value in document.items():
            less = copy.copy(document)
            del less[key]
            yield less
            for bad in broken(value):
                yield {**document, key: bad}
        yield {**document, "unknown": 1}
        yield [document]
    elif isinstance(document, bool) or document is None:
        yield 7
    elif isinstance(document, int):
        yield -1
        yield "7"
    else:
        yield True


def listing(name, *arguments):
    done = subprocess.run([ctl, "--json", *arguments], text=True, capture_output=True,
                          check=False)
    what = " ".join(arguments)
    try:
        document = json.loads(done.stdout)
    except ValueError as error:
        point(False, what + " is JSON", error)
        return
    point(not theirs(name, document), f"{what} is like {name}", theirs(name, document))
    point(ours(name, document)[0] == 0, f"{what}, by json-check", ours(name, document)[1])
    judged = [(bad, bool(theirs(name, bad)), ours(name, bad)[0] == 1) for bad in broken(document)]
    differ = [json.dumps(bad)[:200] for bad, there, here in judged if there != here]
    point(not differ, f"{what}: both judges say the same of {len(judged)} others", differ)
    point(any(there for _, there, _ in judged), f"{what}: some of them are bad")


print("TAP version 13")
for path in sorted(glob.glob(os.path.join(folder, "*.json"))):
    name = os.path.basename(path).removesuffix(".json")
    try:
        jsonschema.Draft202012Validator.check_schema(load(name))
        point(True, name + " is a schema")
    except jsonschema.SchemaError as error:
        point(False, name + " is a schema", error)
    # Every keyword is known to json-check: 2 says that one is not.
    point(ours(name, {})[0] in (0, 1), name + " is understood by json-check", ours(name, {})[1])

listing("features", "features")
listing("policy-list", "policy", "list")
listing("policy-verify", "policy", "verify", "net-bind", "no-such")
names = json.loads(subprocess.run([ctl, "--json", "policy", "list"], text=True,
                                  capture_output=True, check=True).stdout)
for policy in names:
    listing("policy-show", "policy", "show", policy["name"])
point(len(names) > 1, "there are policies")

with tempfile.TemporaryDirectory() as bindings:
    for i, match in enumerate(["Unit=a.service b*.service\nSlice=c.slice", "Cgroup=/a/*",
                               "Annotation=k=v*\nRuntime=podman\nPod=ns/*"]):
        with open(f"{bindings}/{i}.conf", "w", encoding="utf-8") as file:
            file.write(f"[Match]\n{match}\n[Policy net-bind]\nMode=permissive\n"
                       "Allow=0.0.0.0:80 [::]:80\nDenyErrno=EPERM\n[Policy net-connect]\n")
    os.mkdir(f"{bindings}/2.conf.d")
    with open(f"{bindings}/2.conf.d/x.conf", "w", encoding="utf-8") as file:
        file.write("[Policy net-bind]\nDenyErrno=EACCES\nMode=enforce\n")
    listing("config-verify", "config", "verify", bindings)
    said = json.loads(subprocess.run([ctl, "--json", "config", "verify", bindings], text=True,
                                     capture_output=True, check=True).stdout)
    point([file["for"] for file in said] == ["units", "cgroups", "containers"], "what for", said)
    point(said[2]["policies"][0] == {"policy": "net-bind", "permissive": False, "params": {
        "allow": "0.0.0.0:80,[::]:80", "deny-errno": "EACCES"}}, "a drop-in overrides", said[2])
    point(said[2]["drop_ins"] == [f"{bindings}/2.conf.d/x.conf"], "and is named", said[2])

print(f"1..{count}")
sys.exit(failed > 0)

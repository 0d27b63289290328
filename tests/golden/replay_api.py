#!/usr/bin/env python3
"""Replays the recorded API session of tests/golden/api/main against a running agent and counts agreement.

usage: replay_api.py [--also REGEX] [--driver raw_exec] [--ratchet FILE] [--accept] [--show N] [--wait SECONDS] [--only SECTION] [BASE_URL]

BASE_URL falls back to $DROVER_ADDR, then http://127.0.0.1:4646. The agent must be fresh: named golden-1, dc1, class golden, ports
14646 and 14647, meta rack=r1 zone=z1 owner=team-a. Rows whose route is not in BUILT (or --also) are skipped, and so are rows that
need a value of a row that was skipped or did not answer it. `--driver raw_exec` turns the tasks of mock_driver into sleeping
raw_exec tasks, in requests and in expected answers. The ratchet file lists the rows that agree; one that no longer does is an
error (exit 1), new ones are reported and written with --accept.
"""
import argparse
import collections
import copy
import glob
import http.client
import json
import os
import re
import sys
import time
import urllib.parse

JOB_WORDS = ("dispatch|dispatch/payload|periodic/force|revert|stable|scale|services|actions|action|versions/[^/]+/tag")
BUILT = [
    r"/$", r"/nothing$", r"/v1$", r"/v1/$",
    r"/v1/jobs$", r"/v1/jobs/$", r"/v1/jobs/parse$", r"/v1/validate/job$", r"/v1/nodes/\.\./jobs$",
    r"/v1/job$", r"/v1/job/(?!.*/(%s)$).*$" % JOB_WORDS,
    r"/v1/allocations$", r"/v1/allocation/(?!.*/(services|checks)$).*$",
    r"/v1/evaluations(/count)?$", r"/v1/evaluation/.*$",
    r"/v1/nodes$", r"/v1/node/(?!pools?(/|$))(?!.*/drain$).*$",
    r"/v1/deployments$", r"/v1/deployment/(?!(fail|pause|promote|unblock|allocation-health)/).*$",
    r"/v1/status/(leader|peers)$", r"/v1/regions$", r"/v1/metrics$", r"/v1/event/stream$",
    r"/v1/agent/(self|health|members)$", r"/v1/system/.*$",
    r"/v1/operator/scheduler/configuration$", r"/v1/operator/raft/configuration$",
]
# Rows of a built path whose method is not.
NOT_BUILT = [("DELETE", r"/v1/evaluations$"), ("PUT", r"/v1/operator/scheduler/configuration$")]

UUID = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
TEXT_OF = {
    "uuid": UUID, "index": r"\d+", "nanos": r"\d+", "seconds": r"\d+", "unix": r"\d+", "port": r"\d+", "number": r"-?[\d.e+]+",
    "time": r"\d{4}-\d\d-\d\dT[\d:.]+(?:Z|[+-]\d\d:\d\d)", "date": r".+", "hash": r".+", "class": r"v\d:\d+", "dur": r".+", "jwt": r".+",
    "secret": r".+", "topology": r".*", "data": r".*", "varies": r".*", "text": r".*",
}
NUMBERS = {"index", "nanos", "seconds", "unix", "port", "number", "dur"}
ANYTHING = {"varies", "data", "topology"}
SHAPES = {"<text>", "<number>", "<bool>"}
PLACEHOLDER = re.compile(r"<([a-z0-9_]+)(?::(\d+))?>", re.IGNORECASE)
COMPARED = {"content-type", "location", "content-encoding", "cache-control", "x-nomad-index", "x-nomad-knownleader",
            "x-nomad-lastcontact", "x-nomad-nexttoken", "vary", "access-control-allow-origin", "access-control-allow-methods"}


class Mismatch(Exception):
    pass


class Session:
    def __init__(self, base, saved=None):
        url = urllib.parse.urlsplit(base)
        self.host, self.port = url.hostname, url.port or 80
        self.saved = saved or {}

    def request(self, method, path, headers=None, body=None, timeout=60, stream=False):
        connection = http.client.HTTPConnection(self.host, self.port, timeout=timeout)
        try:
            connection.putrequest(method, path, skip_accept_encoding=True)
            for name, value in (headers or {}).items():
                connection.putheader(name, value)
            if body is not None:
                connection.putheader("Content-Length", str(len(body)))
            elif method in ("PUT", "POST"):
                connection.putheader("Content-Length", "0")
            connection.endheaders(body)
            answer = connection.getresponse()
            data = answer.readline() if stream and answer.status == 200 else answer.read()
            return answer.status, {k.lower(): v for k, v in answer.getheaders()}, data
        finally:
            connection.close()

    def fill(self, value):
        """Puts saved values into `{x}`; raises KeyError for one that was never saved."""
        if isinstance(value, str):
            return re.sub(r"\{([a-z]\w*)\}", lambda m: str(self.saved[m.group(1)]), value)
        if isinstance(value, list):
            return [self.fill(item) for item in value]
        if isinstance(value, dict):
            return {key: self.fill(item) for key, item in value.items()}
        return value

    def text_pattern(self, expected):
        out, at = "", 0
        for found in PLACEHOLDER.finditer(expected):
            name, cut = found.group(1), found.group(2)
            out += re.escape(expected[at:found.start()])
            if name in self.saved:
                value = str(self.saved[name])
                out += re.escape(value[:int(cut)] if cut else value)
            elif name in TEXT_OF:
                out += TEXT_OF[name]
            else:
                out += re.escape(found.group(0))
            at = found.end()
        return re.compile(out + re.escape(expected[at:]), re.DOTALL)

    def match_text(self, expected, actual, where):
        if not self.text_pattern(expected).fullmatch(actual):
            raise Mismatch(f"{where}: expected {expected[:120]!r}, got {actual[:160]!r}")

    def match(self, expected, actual, where="body"):
        if isinstance(expected, str):
            whole = PLACEHOLDER.fullmatch(expected)
            name = whole.group(1) if whole else None
            if name in ANYTHING:
                return
            if name == "bool" and isinstance(actual, bool):
                return
            if name in NUMBERS and isinstance(actual, (int, float)) and not isinstance(actual, bool):
                if name in ("index", "nanos") and actual <= 0:
                    raise Mismatch(f"{where}: expected a number above 0, got {actual}")
                return
            if not isinstance(actual, str):
                raise Mismatch(f"{where}: expected {expected[:120]!r}, got {json.dumps(actual)[:120]}")
            self.match_text(expected, actual, where)
        elif isinstance(expected, dict):
            if not isinstance(actual, dict):
                raise Mismatch(f"{where}: expected an object, got {json.dumps(actual)[:120]}")
            if set(expected) == {"<name>"}:
                for key, item in actual.items():
                    self.match(expected["<name>"], item, f"{where}.{key}")
                return
            missing, extra = sorted(set(expected) - set(actual)), sorted(set(actual) - set(expected))
            if missing or extra:
                raise Mismatch(f"{where}: fields missing {missing[:8]}, too many {extra[:8]}")
            for key, item in expected.items():
                self.match(item, actual[key], f"{where}.{key}")
        elif isinstance(expected, list):
            if not isinstance(actual, list):
                raise Mismatch(f"{where}: expected a list, got {json.dumps(actual)[:120]}")
            if len(expected) == 1 and is_shape(expected[0]):
                if not actual:
                    raise Mismatch(f"{where}: expected elements, got none")
                self.match(expected[0], actual[0], f"{where}[0]")
                return
            if len(expected) != len(actual):
                raise Mismatch(f"{where}: expected {len(expected)} elements, got {len(actual)}")
            for index, item in enumerate(expected):
                self.match(item, actual[index], f"{where}[{index}]")
        elif expected != actual or isinstance(expected, bool) != isinstance(actual, bool):
            raise Mismatch(f"{where}: expected {json.dumps(expected)}, got {json.dumps(actual)[:120]}")


def is_shape(value):
    """True when every scalar is a shape word (null and empty containers say nothing)."""
    if isinstance(value, dict):
        return bool(value) and all(is_shape(item) or item in (None, [], {}) for item in value.values())
    if isinstance(value, list):
        return bool(value) and all(is_shape(item) for item in value)
    return value in SHAPES if isinstance(value, str) else False


def substitute_driver(value, driver):
    """mock_driver tasks become sleeping tasks of a real driver, wherever a task's description stands."""
    if isinstance(value, list):
        return [substitute_driver(item, driver) for item in value]
    if not isinstance(value, dict):
        return value
    out = {key: substitute_driver(item, driver) for key, item in value.items()}
    if out.get("Driver") == "mock_driver" and isinstance(out.get("Config"), dict):
        config = out["Config"]
        run_for, code = str(config.get("run_for", "0s")), config.get("exit_code", 0)
        number = float(re.match(r"[\d.]+", run_for).group(0)) if re.match(r"[\d.]+", run_for) else 0
        seconds = number / 1000 if run_for.endswith("ms") else number
        out["Driver"] = driver
        out["Config"] = {"command": "/bin/sh", "args": ["-c", f"sleep {seconds:g}; exit {code}"]}
    return out


def reached(until, answer):
    """Whether a poll's answer is what the recording waited for; the phrases are those of the recording."""
    items = answer if isinstance(answer, list) else [answer]
    items = [item for item in items if isinstance(item, dict)]
    if not items:
        return False
    if "allocation" in until and ("run" in until):
        return all(item.get("ClientStatus") == "running" for item in items) and len(items) >= (2 if "two" in until else 1)
    if "allocation is complete" in until or "ClientStatus is complete" in until:
        return all(item.get("ClientStatus") == "complete" for item in items)
    if "allocation failed" in until:
        return any(item.get("ClientStatus") == "failed" for item in items)
    if "child" in until:
        return all(item.get("Status") == "dead" for item in items)
    if "blocked" in until:
        return any(item.get("Status") == "blocked" for item in items)
    if "Status is successful" in until:
        version = re.search(r"JobVersion is (\d+)", until)
        return items[0].get("Status") == "successful" and (not version or items[0].get("JobVersion") == int(version.group(1)))
    if "Status is final" in until:
        return items[0].get("Status") in ("successful", "failed", "cancelled")
    if "runs again with Restarts 1" in until:
        return any(state.get("Restarts") == 1 and state.get("State") == "running" for state in (items[0].get("TaskStates") or {}).values())
    return True


def wait_for(session, wait, limit):
    if "seconds" in wait:
        time.sleep(min(float(wait["seconds"]), limit))
        return True
    until = time.monotonic() + limit
    while time.monotonic() < until:
        status, _, data = session.request("GET", session.fill(wait["path"]))
        try:
            if status == 200 and reached(wait["until"], json.loads(data)):
                return True
        except ValueError:
            pass
        time.sleep(0.1)
    return False


def compare(session, row, status, headers, data):
    expected = row["response"]
    if status != expected["status"]:
        raise Mismatch(f"status: expected {expected['status']}, got {status} {data[:160]!r}")
    if row.get("not_stable"):
        return
    for name, value in expected.get("headers", {}).items():
        if name.lower() not in COMPARED:
            continue
        if name.lower() not in headers:
            raise Mismatch(f"header {name}: missing")
        session.match_text(value, headers[name.lower()], f"header {name}")
    for name in ("x-nomad-index", "x-nomad-nexttoken"):
        if name in headers and name not in {key.lower() for key in expected.get("headers", {})}:
            raise Mismatch(f"header {name}: not expected, got {headers[name]}")
    if expected.get("body_empty"):
        if data:
            raise Mismatch(f"body: expected none, got {data[:120]!r}")
    elif "body_text" in expected:
        session.match_text(expected["body_text"], data.decode("utf-8", "replace"), "body")
    elif "body" in expected:
        try:
            actual = json.loads(data)
        except ValueError:
            if isinstance(expected["body"], str):
                session.match_text(expected["body"], data.decode("utf-8", "replace"), "body")
                return
            raise Mismatch(f"body: expected JSON, got {data[:120]!r}") from None
        session.match(expected["body"], actual)


def save_values(session, row, data):
    for name, path in (row.get("save") or {}).items():
        try:
            value = json.loads(data)
            for part in path.split("."):
                value = value[int(part)] if isinstance(value, list) else value[part]
            if value:
                session.saved[name] = value
        except (ValueError, KeyError, IndexError, TypeError):
            pass


def built(method, path, patterns):
    plain = urllib.parse.urlsplit(path).path
    if any(method in (name, "POST" if name == "PUT" else name) and re.match(pattern, plain) for name, pattern in NOT_BUILT):
        return False
    return any(re.match(pattern, plain) for pattern in patterns)


def load(folder, only):
    for name in sorted(glob.glob(os.path.join(folder, "*.json"))):
        if only and only not in name:
            continue
        with open(name, encoding="utf-8") as file:
            yield from json.load(file)


def replay(session, rows, options):
    agreed, failed, skipped = [], [], collections.Counter()
    patterns = BUILT + options.also
    for row in rows:
        if "wait" in row:
            try:
                if not wait_for(session, row["wait"], options.wait):
                    skipped["waits that did not come true"] += 1
            except KeyError:
                skipped["waits for a value that is missing"] += 1
            continue
        request = row["request"]
        if not built(request["method"], request["path"], patterns):
            skipped["route not built"] += 1
            continue
        if options.driver:
            row = copy.deepcopy(row)
            row["request"], row["response"] = (substitute_driver(row[key], options.driver) for key in ("request", "response"))
            request = row["request"]
        elif "mock_driver" in json.dumps(row):
            skipped["needs mock_driver"] += 1
            continue
        try:
            request = session.fill(request)
        except KeyError:
            skipped["needs a value that is missing"] += 1
            continue
        body = request.get("body_text")
        if body is None and "body" in request:
            body = json.dumps(request["body"])
        path = urllib.parse.quote(request["path"], safe="/?&=%:@*+;,!~'()$-._`\"<>{}|^")
        status, headers, data = session.request(request["method"], path, request.get("headers"),
                                                None if body is None else body.encode(), stream="/event/stream" in path)
        save_values(session, row, data)
        try:
            compare(session, row, status, headers, data)
            agreed.append(row["name"])
        except Mismatch as mismatch:
            failed.append((row["name"], str(mismatch)))
    return agreed, failed, skipped


def main():
    here = os.path.dirname(os.path.abspath(__file__))
    parser = argparse.ArgumentParser(description="Replays the recorded API session against a running agent.")
    parser.add_argument("base", nargs="?", default=os.environ.get("DROVER_ADDR", "http://127.0.0.1:4646"))
    parser.add_argument("--folder", default=os.path.join(here, "api", "main"))
    parser.add_argument("--also", action="append", default=[], help="path pattern of further routes that are built")
    parser.add_argument("--driver", help="driver that stands in for mock_driver")
    parser.add_argument("--ratchet", help="file of the rows that agree")
    parser.add_argument("--accept", action="store_true", help="write the ratchet file")
    parser.add_argument("--show", type=int, default=20, help="differences to print")
    parser.add_argument("--wait", type=float, default=20, help="seconds a poll may take")
    parser.add_argument("--only", help="part of a section's file name")
    options = parser.parse_args()

    session = Session(options.base)
    nodes = json.loads(session.request("GET", "/v1/nodes")[2] or b"[]")
    if nodes:
        session.saved["node"] = nodes[0]["ID"]
    agreed, failed, skipped = replay(session, list(load(options.folder, options.only)), options)
    total = len(agreed) + len(failed)
    print(f"{len(agreed)} of {total} rows agree; skipped: " + (", ".join(f"{n} {why}" for why, n in sorted(skipped.items())) or "none"))
    for name, why in failed[:options.show]:
        print(f"  {name}: {why}")
    if len(failed) > options.show:
        print(f"  ... and {len(failed) - options.show} more")
    if not options.ratchet:
        return 0
    known = set()
    if os.path.exists(options.ratchet):
        with open(options.ratchet, encoding="utf-8") as file:
            known = {line.strip() for line in file if line.strip()}
    lost = sorted(known & {name for name, _ in failed})
    new = sorted(set(agreed) - known)
    if new:
        print(f"{len(new)} rows agree that are not in {options.ratchet}" + ("" if options.accept else "; write them with --accept"))
    if options.accept:
        with open(options.ratchet, "w", encoding="utf-8") as file:
            file.writelines(name + "\n" for name in sorted((known | set(agreed)) - set(lost)))
        return 0
    if lost:
        print(f"no longer agree: {', '.join(lost)}")
    return 1 if lost else 0


if __name__ == "__main__":
    sys.exit(main())

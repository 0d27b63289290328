#!/usr/bin/env python3
"""Replays the recorded API session of tests/golden/api/main against a running agent and counts agreement.

usage: replay_api.py [--folder DIR] [--ratchet FILE [--accept]] [--show N] [--wait SECONDS] [--only TEXT] BASE_URL

The agent must be fresh and be what the recording's was: run_api.py starts one and is the usual way to run this. A row whose route the
agent does not know (404 without a body) is counted as not built, a row that needs a value of such a row as not reached. The ratchet
file lists the rows that agree; one that no longer does is an error (exit 1), new ones are reported and written with --accept.
`--folder` may hold rows that were kept apart from the tree's: they are played in their places among the tree's, and only they count.
"""
import argparse
import glob
import http.client
import json
import os
import re
import sys
import time
import urllib.parse

RECORDED_PORTS = ("14646", "14647", "14648")  # http, rpc, serf: they show in answers
UUID = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
TEXT_OF = {
    "uuid": UUID, "index": r"\d+", "nanos": r"\d+", "seconds": r"\d+", "unix": r"\d+", "port": r"\d+", "hex": r"[0-9a-f]+", "number": r"-?[\d.e+]+",
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
    if "one healthy allocation" in until:
        version = int(re.search(r"JobVersion (\d+)", until).group(1))
        return items[0].get("JobVersion") == version and any(group["HealthyAllocs"] >= 1 for group in items[0].get("TaskGroups", {}).values())
    if "placed one allocation" in until:
        return any(group["PlacedAllocs"] >= 1 for group in items[0].get("TaskGroups", {}).values())
    if "Drain is false" in until:
        return items[0].get("Drain") is False
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
    if expected.get("not_stable"):
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


def read_rows(folder, ports):
    """The rows below a folder by their sequence number; the recording's ports become the agent's."""
    rows = {}
    for name in sorted(glob.glob(os.path.join(folder, "*.json"))):
        with open(name, encoding="utf-8") as file:
            text = file.read()
        for recorded, actual in zip(RECORDED_PORTS, ports):
            text = text.replace(recorded, str(actual))
        # The version is ours by decision, behind the recorded number.
        rows.update((row["seq"], row) for row in json.loads(text.replace("2.0.6-dev", "<text>")))
    return rows


class Outcome:
    def __init__(self):
        self.agreed, self.failed, self.not_built, self.not_reached, self.waits = [], [], [], [], []

    def summary(self):
        played = len(self.agreed) + len(self.failed)
        recorded = played + len(self.not_built) + len(self.not_reached)
        return f"api: {len(self.agreed)} of {played} rows agree (of {recorded} recorded)"


def play(session, row):
    """Sends one row; answers status, headers and body. A missing value is a KeyError."""
    request = session.fill(row["request"])
    body = request.get("body_text")
    if body is None and "body" in request:
        body = json.dumps(request["body"])
    path = urllib.parse.quote(request["path"], safe="/?&=%:@*+;,!~'()$-._`\"<>{}|^")
    return session.request(request["method"], path, request.get("headers"), None if body is None else body.encode(),
                           stream="/event/stream" in path)


def agrees(session, row, status, headers, data):
    try:
        compare(session, row, status, headers, data)
    except Mismatch:
        return False
    return True


def replay(session, rows, counted, wait_limit):
    """Where the recording slept, rows that read are repeated until they agree, for at most as long as other waits."""
    out, patient_until = Outcome(), 0.0
    for row in rows:
        if "seconds" in row.get("wait", {}):
            patient_until = time.monotonic() + wait_limit
            continue
        if "wait" in row:
            try:
                if not wait_for(session, row["wait"], wait_limit):
                    out.waits.append(f"{row['wait'].get('path')}: {row['wait']['until']}")
            except KeyError:
                pass
            continue
        into = out if row["seq"] in counted else Outcome()
        if row["request"]["method"] != "GET":
            patient_until = 0.0
        try:
            status, headers, data = play(session, row)
            while time.monotonic() < patient_until and not agrees(session, row, status, headers, data):
                time.sleep(0.1)
                status, headers, data = play(session, row)
        except KeyError as missing:
            into.not_reached.append((row["name"], f"no value {missing}"))
            continue
        except (OSError, http.client.HTTPException) as error:
            into.failed.append((row["name"], f"no answer: {error!r}"))
            continue
        save_values(session, row, data)
        try:
            compare(session, row, status, headers, data)
            into.agreed.append(row["name"])
        except Mismatch as mismatch:
            (into.not_built if status == 404 and not data else into.failed).append((row["name"], str(mismatch)))
    return out


def check_ratchet(path, outcome, accept):
    """Answers what no longer agrees."""
    known = set()
    if os.path.exists(path):
        with open(path, encoding="utf-8") as file:
            known = {line.strip() for line in file if line.strip()}
    lost, new = sorted(known - set(outcome.agreed)), sorted(set(outcome.agreed) - known)
    if new:
        print(f"{len(new)} rows agree that are not in {os.path.basename(path)}" + ("" if accept else "; write them with --accept"))
    if accept:
        with open(path, "w", encoding="utf-8") as file:
            file.writelines(name + "\n" for name in sorted(outcome.agreed))
        return []
    why = dict(outcome.failed + outcome.not_built + outcome.not_reached)
    return [f"{name}: {why.get(name, 'not recorded any more')}" for name in lost]


def arguments(parser):
    here = os.path.dirname(os.path.abspath(__file__))
    parser.add_argument("--folder", default=os.path.join(here, "api", "main"), help="where the rows are")
    parser.add_argument("--ratchet", help="file of the rows that agree")
    parser.add_argument("--accept", action="store_true", help="write the ratchet file")
    parser.add_argument("--show", type=int, default=0, help="differences to print")
    parser.add_argument("--all", action="store_true", help="print also the rows that are not built or not reached")
    parser.add_argument("--wait", type=float, default=20, help="seconds a poll may take")
    parser.add_argument("--only", default="", help="part of the names of the rows to count; all are played")
    return here


def run(base, options, here, ports=RECORDED_PORTS):
    session = Session(base)
    nodes = json.loads(session.request("GET", "/v1/nodes")[2] or b"[]")
    if nodes:
        session.saved["node"] = nodes[0]["ID"]
    rows = read_rows(os.path.join(here, "api", "main"), ports)
    chosen = read_rows(options.folder, ports)
    rows.update(chosen)
    counted = {seq for seq, row in chosen.items() if options.only in row.get("name", "")}
    outcome = replay(session, [rows[seq] for seq in sorted(rows)], counted, options.wait)
    print(outcome.summary())
    details = outcome.failed + (outcome.not_built + outcome.not_reached if options.all else [])
    for name, why in details[:options.show]:
        print(f"  {name}: {why}")
    if options.show:
        for wait in outcome.waits:
            print(f"  not within the limit: {wait}")
    if not options.ratchet:
        return 0
    lost = check_ratchet(options.ratchet, outcome, options.accept)
    for line in lost:
        print(f"no longer agrees: {line}")
    return 1 if lost else 0


def main():
    parser = argparse.ArgumentParser(description="Replays the recorded API session against a running agent.")
    parser.add_argument("base", nargs="?", default=os.environ.get("DROVER_ADDR", "http://127.0.0.1:4646"))
    here = arguments(parser)
    options = parser.parse_args()
    return run(options.base, options, here)


if __name__ == "__main__":
    sys.exit(main())

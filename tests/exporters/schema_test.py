#!/usr/bin/env python3
"""The JSON that the exporters' tests expect is what the schemas in docs/ describe, and the schemas
would notice if it were not.

usage: schema_test.py ROOT
"""

import copy
import json
import sys
import unittest
from pathlib import Path

try:
    import jsonschema
except ImportError:
    print("SKIPPED: there is no Python module jsonschema (Debian: python3-jsonschema)")
    sys.exit(77)

ROOT = Path(sys.argv.pop(1))
GOLDEN = ROOT / "tests" / "exporters" / "golden"
SCHEMA = json.loads((ROOT / "docs" / "timeline.schema.json").read_text(encoding="utf-8"))


def document(name="timeline.json"):
    return json.loads((GOLDEN / name).read_text(encoding="utf-8"))


def records():
    lines = (GOLDEN / "timeline.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines]


def errors(instance, schema):
    validator = jsonschema.Draft202012Validator(schema)
    return [f"{list(e.absolute_path)}: {e.message[:300]}" for e in validator.iter_errors(instance)]


RECORD = {"$ref": "#/$defs/record", "$defs": SCHEMA["$defs"]}


def paths(instance, path=()):
    """The path of every member of every object, list positions left out."""
    if isinstance(instance, dict):
        for key, value in instance.items():
            yield path + (key,)
            yield from paths(value, path + (key,))
    elif isinstance(instance, list):
        for value in instance:
            yield from paths(value, path)


def rename_first(instance, path):
    """Gives the first member at `path` another name; false if there is none."""
    if isinstance(instance, list):
        return any(rename_first(value, path) for value in instance)
    if not isinstance(instance, dict) or path[0] not in instance:
        return False
    if len(path) == 1:
        instance["x_" + path[0]] = instance.pop(path[0])
        return True
    return rename_first(instance[path[0]], path[1:])


class Schema(unittest.TestCase):
    def test_is_one(self):
        jsonschema.Draft202012Validator.check_schema(SCHEMA)

    def test_document(self):
        for name in ("timeline.json", "empty.json", "nothing.json"):
            with self.subTest(name):
                self.assertEqual(errors(document(name), SCHEMA), [])

    def test_records(self):
        for number, record in enumerate(records(), 1):
            with self.subTest(line=number, event=record["event"]):
                self.assertEqual(errors(record, RECORD), [])

    def test_every_kind_of_event_is_among_the_records(self):
        kinds = {kind["properties"]["event"]["const"] for kind in
                 (SCHEMA["$defs"][ref["$ref"].rpartition("/")[2]] for ref in
                  SCHEMA["$defs"]["record"]["oneOf"])}
        # What a slow reader misses is told by the output of a live run, and by no exporter.
        live = {"output-gap"}
        self.assertEqual({record["event"] for record in records()} | live, kinds)

    def test_every_kind_of_item_is_in_the_document(self):
        kinds = set(SCHEMA["$defs"]["entry"]["properties"]["kind"]["enum"])
        entries = [e for s in document()["sessions"] for e in s["entries"]]
        self.assertEqual({entry["kind"] for entry in entries}, kinds)

    def test_notices_a_member_that_nobody_described(self):
        good = document()
        validator = jsonschema.Draft202012Validator(SCHEMA)
        for path in sorted(set(paths(good))):
            # Objects whose names are data, not part of the format.
            if {"attributes", "commands", "outcomes", "doubtful_ends", "thresholds"} & set(path):
                continue
            with self.subTest(".".join(path)):
                bad = copy.deepcopy(good)
                self.assertTrue(rename_first(bad, path))
                self.assertFalse(validator.is_valid(bad))

    def test_notices_a_wrong_type(self):
        bad = document()
        bad["sessions"][0]["entries"][0]["first_ns"] = "4 ms"
        self.assertNotEqual(errors(bad, SCHEMA), [])
        bad = document()
        bad["sessions"][0]["transactions"][0]["outcome"] = "lost"
        self.assertNotEqual(errors(bad, SCHEMA), [])


class Comparison(unittest.TestCase):
    SCHEMA = json.loads((ROOT / "docs" / "comparison.schema.json").read_text(encoding="utf-8"))

    def validator(self):
        # It names the other schema by its file.
        resolver = jsonschema.RefResolver(
            "comparison.schema.json", self.SCHEMA, store={"timeline.schema.json": SCHEMA})
        return jsonschema.Draft202012Validator(self.SCHEMA, resolver=resolver)

    def test_is_one(self):
        jsonschema.Draft202012Validator.check_schema(self.SCHEMA)

    def test_document(self):
        found = [e.message[:300] for e in self.validator().iter_errors(document("comparison.json"))]
        self.assertEqual(found, [])

    def test_notices_what_nobody_described(self):
        for change in (
            lambda d: d.update(more=1),
            lambda d: d["comparisons"][0].update(more=1),
            lambda d: d["comparisons"][0]["counts"].update(more=1),
            lambda d: d["comparisons"][0]["sessions"][0].update(more=1),
            lambda d: d["comparisons"][0]["sessions"][0]["differences"][0].update(kind="more"),
            lambda d: d["comparisons"][0]["sessions"][0]["differences"][0].update(more=1),
            lambda d: d["baseline"]["flickers"][0].update(more=1),
            lambda d: d["rules"].update(more=1),
        ):
            bad = document("comparison.json")
            change(bad)
            self.assertFalse(self.validator().is_valid(bad))


class Taps(unittest.TestCase):
    SCHEMA = json.loads((ROOT / "docs" / "taps.schema.json").read_text(encoding="utf-8"))

    def setUp(self):
        resolver = jsonschema.RefResolver(
            "taps.schema.json", self.SCHEMA, store={"timeline.schema.json": SCHEMA})
        self.validator = jsonschema.Draft202012Validator(self.SCHEMA, resolver=resolver)

    def test_is_one(self):
        jsonschema.Draft202012Validator.check_schema(self.SCHEMA)

    def test_document(self):
        found = [e.message[:300] for e in self.validator.iter_errors(document("taps.json"))]
        self.assertEqual(found, [])

    def test_notices_what_nobody_described(self):
        good = document("taps.json")
        for path in sorted(set(paths(good))):
            # Objects whose names are data, not part of the format.
            if {"attributes", "thresholds"} & set(path):
                continue
            with self.subTest(".".join(path)):
                bad = copy.deepcopy(good)
                self.assertTrue(rename_first(bad, path))
                self.assertFalse(self.validator.is_valid(bad))


if __name__ == "__main__":
    unittest.main()

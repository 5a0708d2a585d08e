#!/usr/bin/python3
"""validate.py [--comments] SCHEMA FILE…: each line of jq -c, or each whole file, against a JSON Schema.

--comments takes // and /* */ out first; --probe only says whether jsonschema is here.
"""
import json
import re
import sys

try:
    import jsonschema
except ImportError:
    sys.exit("validate.py: needs python3-jsonschema")

COMMENT = re.compile(r'"(?:[^"\\]|\\.)*"|//[^\n]*|/\*.*?\*/', re.S)


def load(path, comments=False):
    with open(path, encoding="utf-8") as file:
        text = file.read()
    if comments:
        text = COMMENT.sub(lambda m: m.group() if m.group()[0] == '"' else " ", text)
    return json.loads(text)


def main(args):
    if args == ["--probe"]:
        return 0
    comments = args[0] == "--comments"
    schema_path, *paths = args[comments:]
    schema = load(schema_path)
    kind = jsonschema.validators.validator_for(schema)
    kind.check_schema(schema)
    validator = kind(schema)
    bad = 0
    for path in paths:
        for error in validator.iter_errors(load(path, comments)):
            bad = 1
            print(f"{path}: /{'/'.join(map(str, error.absolute_path))}: {error.message}")
    return bad


sys.exit(main(sys.argv[1:]))

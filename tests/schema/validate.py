#!/usr/bin/python3
"""validate.py [--comments] SCHEMA FILE…: each line of jq -c, or each whole file, against a JSON Schema.

--comments takes // and /* */ out first; --probe only says whether jsonschema is here. With --each DIRECTORY in the
place of SCHEMA, a file KIND.N.json is judged by the KIND.json there.
"""
import json
import pathlib
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


def validator_of(schema_path):
    schema = load(schema_path)
    kind = jsonschema.validators.validator_for(schema)
    kind.check_schema(schema)
    return kind(schema)


def main(args):
    if args == ["--probe"]:
        return 0
    each = args[0] == "--each"
    comments = args[0] == "--comments"
    schema_path, *paths = args[each or comments:]
    validators = {}
    bad = 0
    for path in paths:
        schema = schema_path
        if each:
            schema = f"{schema_path}/{pathlib.Path(path).name.split('.')[0]}.json"
        if schema not in validators:
            validators[schema] = validator_of(schema)
        for error in validators[schema].iter_errors(load(path, comments)):
            bad = 1
            print(f"{path}: /{'/'.join(map(str, error.absolute_path))}: {error.message}")
    return bad


sys.exit(main(sys.argv[1:]))

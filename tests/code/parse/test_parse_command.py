"""inlay parse, as its user runs it. Needs INLAY_BIN; skips, and says so, without."""

import json
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

BIN = os.environ.get("INLAY_BIN", "")
if not pathlib.Path(BIN).is_file():
    print("skipped: INLAY_BIN is not set, or not there")
    sys.exit(77)

SOURCE = '''class Stack:
    """Last in, first out."""

    @property
    def top(self):
        return self.items[-1]


def push(stack, item):
    """Puts an item on top."""
'''


class Parse(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="inlay_parse_")
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        (self.folder / "stack.py").write_text(SOURCE)
        (self.folder / "sub").mkdir()
        (self.folder / "sub" / "a.go").write_text("package a\n\nfunc F() {}\n")
        (self.folder / "notes.md").write_text("# notes\n")

    def run_inlay(self, *arguments, code=0):
        result = subprocess.run([BIN, "parse", *map(str, arguments)], capture_output=True, text=True)
        self.assertEqual(result.returncode, code, result.stderr)
        return result

    def test_json_lines_have_all_fields(self):
        result = self.run_inlay(self.folder / "stack.py", "--json")
        items = [json.loads(line) for line in result.stdout.splitlines()]
        self.assertEqual([item["qualified_name"] for item in items], ["Stack", "Stack.top", "push"])
        source = SOURCE.encode()
        top = items[1]
        self.assertEqual(source[top.pop("byte_start"):top.pop("byte_end")].decode(), "@property\n    def top(self):\n        return self.items[-1]")
        self.assertEqual(top, {
            "kind": "function", "name": "top", "qualified_name": "Stack.top", "class_name": "Stack", "file_path": str(self.folder / "stack.py"),
            "line_start": 5, "line_end": 6, "source_line": 4, "signature": "def top(self)", "docstring": "", "language": "python"})  # fmt: skip
        self.assertEqual((items[0]["kind"], items[0]["docstring"], items[2]["docstring"]), ("class", "Last in, first out.", "Puts an item on top."))

    def test_a_folder_is_listed_with_relative_paths_and_a_summary(self):
        result = self.run_inlay(self.folder)
        self.assertEqual(result.stdout.splitlines(), ["stack.py:1-6: class Stack", "stack.py:5-6: function Stack.top", "stack.py:9-10: function push",
                                                      "sub/a.go:3-3: function F"])
        self.assertIn("3 functions and 1 class in 2 files", result.stderr)
        self.assertIn("1 not source code", result.stderr)
        self.assertEqual(self.run_inlay(self.folder, "--quiet").stderr, "")

    def test_broken_source_is_a_warning_and_the_rest_is_listed(self):
        (self.folder / "stack.py").write_text("def a(): pass\ndef b(:\ndef c(): pass\n")
        result = self.run_inlay(self.folder / "stack.py")
        self.assertIn("function a", result.stdout)
        self.assertRegex(result.stderr, r"warning: .*stack\.py:\d+: syntax error")

    def test_what_cannot_be_parsed_is_an_error(self):
        for name, content, reason in [("a.bin", b"x", "not source code"), ("a.py", b"\0", "binary"), ("b.py", b"x = 1\n" * 10, "too large")]:
            (self.folder / name).write_bytes(content)
            result = self.run_inlay(self.folder / name, "--max-file-bytes", 50, code=1)
            self.assertIn(reason, result.stderr)
            self.assertIn(name, result.stderr)
        self.assertIn("none.py", self.run_inlay(self.folder / "none.py", code=1).stderr)
        self.run_inlay(code=2)

    def test_names_that_are_not_utf8_and_control_characters_stay_on_their_line(self):
        (self.folder / b"\xff.py".decode("utf-8", "surrogateescape")).write_text("def f(): pass\n")
        (self.folder / "a\nb.py").write_text("def g(): pass\n")
        lines = self.run_inlay(self.folder, "--json").stdout.splitlines()
        self.assertEqual({json.loads(line)["file_path"] for line in lines}, {"\ufffd.py", "a\nb.py", "stack.py", "sub/a.go"})
        self.assertTrue(all(": " in line for line in self.run_inlay(self.folder).stdout.splitlines()))


if __name__ == "__main__":
    unittest.main()

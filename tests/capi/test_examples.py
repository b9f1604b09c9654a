"""The example programs, run on the real model: the best match is the one that a reader expects.

    test_examples.py C_SEARCH CPP_SEARCH CPP_CODEBASE
"""

import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

model = os.environ.get("INLAY_MODEL", "")
source = pathlib.Path(os.environ["INLAY_SOURCE"])
c_search, cpp_search, cpp_codebase = sys.argv[1:4]
QUESTION = "how do I read a document from disk?"


def run(*command: str) -> list[str]:
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        raise AssertionError(f"{command} gave {done.returncode}: {done.stderr}")
    return done.stdout.splitlines()


class Examples(unittest.TestCase):
    def check_search(self, lines: list[str], best: str):
        self.assertEqual(len(lines), 2)
        scores, texts = zip(*(line.split("  ", 1) for line in lines))
        self.assertEqual(texts[0], best)
        self.assertGreaterEqual(float(scores[0]), float(scores[1]))

    def test_c_search(self):
        self.check_search(run(c_search, model, QUESTION), "open a file and read its contents")
        self.check_search(run(c_search, model, "which number is the largest?"), "sort a list of numbers")

    def test_cpp_search(self):
        self.check_search(run(cpp_search, model), "open a file")

    def test_python_search(self):
        program = str(source / "examples/python/search.py")
        self.check_search(run(sys.executable, program, model, QUESTION), "open a file and read its contents")

    def test_cpp_codebase(self):
        with tempfile.TemporaryDirectory() as folder:
            saved = pathlib.Path(folder) / "auth.set"
            for question, best in (("where are passwords checked?", "auth.py: authenticate_user"), ("load the configuration", "settings.py: read_settings")):
                lines = run(cpp_codebase, model, str(saved), question)
                self.assertEqual([line.split("  ", 1)[1] for line in lines], [best])
            self.assertTrue((saved / "embeddings.npy").is_file())

    def test_a_missing_model_is_reported_and_named(self):
        for command in ([c_search], [cpp_search], [sys.executable, str(source / "examples/python/search.py")]):
            done = subprocess.run([*command, "/no/such/model", "question"][: 2 if command == [cpp_search] else None], capture_output=True, text=True)
            self.assertEqual(done.returncode, 1, command)
            self.assertIn("/no/such/model", done.stderr)


if __name__ == "__main__":
    if not model:
        print("skipped: INLAY_MODEL is not set")
        sys.exit(77)
    unittest.main(argv=sys.argv[:1])

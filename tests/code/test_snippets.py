"""inlay snippets, on papers made of the packages that are installed, against Python's own ast module; and on the layouts that it accepts. Needs
INLAY_BIN; skips, and says so, without."""

import ast
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest
import warnings

import make_papers

BIN = os.environ.get("INLAY_BIN", "")
if not pathlib.Path(BIN).is_file():
    print("skipped: INLAY_BIN is not set, or not there")
    sys.exit(77)

LONG = "def long_one():\n    '''Does much.'''\n" + "    x = 1\n" * 60


def expected_snippets(paper, min_lines, require_docstring, readable):
    """Adds the files that Python can read to `readable`."""
    for repository in paper["repositories"]:
        for file in repository["code_files"]:
            try:
                tree = ast.parse(file["content"])
            except (SyntaxError, ValueError):
                continue
            readable.add((paper["id"], file["path"]))
            lines = file["content"].encode().split(b"\n")
            for node in ast.walk(tree):
                if not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                    continue
                first = min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])
                has_docstring = bool(ast.get_docstring(node))
                if node.end_lineno - first + 1 < min_lines or (require_docstring and not has_docstring):
                    continue
                text = b"\n".join(lines[first - 1:node.end_lineno - 1] + [lines[node.end_lineno - 1][:node.end_col_offset]])
                yield {"paper_id": paper["id"], "paper_title": paper["title"], "paper_abstract": paper["abstract"], "paper_url": paper["url"],
                       "repo_name": repository["name"], "repo_url": repository["url"], "file_path": file["path"], "function_name": node.name,
                       "code_text": text.decode().lstrip(), "line_numbers": [first, node.end_lineno], "has_docstring": has_docstring,
                       "num_lines": node.end_lineno - first + 1}  # fmt: skip


class Snippets(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="inlay_snippets_")
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.output = self.folder / "out.json"

    def run_inlay(self, papers, *arguments, code=0):
        path = self.folder / "papers.json"
        if papers is not None:
            path.write_text(papers if isinstance(papers, str) else json.dumps(papers))
        result = subprocess.run([BIN, "snippets", "--input", path, "--output", self.output, *map(str, arguments)], capture_output=True, text=True)
        self.assertEqual(result.returncode, code, result.stderr)
        return result, json.loads(self.output.read_text()) if self.output.exists() else None

    def test_packages_as_papers_equal_ast(self):
        warnings.simplefilter("ignore")
        count = make_papers.write(self.folder / "papers.json", 2_000_000)
        self.assertGreater(count, 200)
        papers = json.loads((self.folder / "papers.json").read_text())
        key = lambda snippet: (snippet["paper_id"], snippet["file_path"], snippet["line_numbers"], snippet["function_name"])  # noqa: E731
        for arguments, min_lines, docstring in [((), 50, True), (("--min_lines", 20, "--no-require-docstring"), 20, False)]:
            result, found = self.run_inlay(None, *arguments)
            readable = set()
            expected = [snippet for paper in papers for snippet in expected_snippets(paper, min_lines, docstring, readable)]
            self.assertGreater(len(expected), 500)
            # In files that Python cannot read some are found all the same.
            broken = [s for s in found if (s["paper_id"], s["file_path"]) not in readable]
            self.assertLess(len(broken), len(found) / 100)
            found = [s for s in found if (s["paper_id"], s["file_path"]) in readable and s["code_text"].startswith(("def ", "async ", "@"))]
            self.assertEqual(sorted(found, key=key), sorted(expected, key=key))
            self.assertIn(f"of {count:,} papers", result.stderr)
            print(f"{len(found)} snippets of {count} papers equal ast's")

    def test_layouts_seen_in_the_wild(self):
        file = {"path": "a.py", "content": LONG}
        repository = {"name": "r", "url": "u", "code_files": [file]}
        for papers in [
            [{"id": "1", "title": "t", "abstract": "a", "url": "p", "repositories": [repository]}],
            {"meta": {"papers": 1}, "papers": [{"paper_id": 1, "paper_title": "t", "summary": "a", "paper_url": "p", "repos": [repository]}]},
            {"results": [], "data": [{"arxiv_id": "1", "title": "t", "paper_abstract": "a", "url_abs": "p", "repository": repository}]},
            [{"id": "1", "title": "t", "abstract": "a", "url": "p", "repo_name": "r", "repo_url": "u", "code_files": [file]}],
            [{"id": "1", "title": "t", "abstract": "a", "url": "p", "repositories": [{"name": "x", "url": "y"}, {"full_name": "r", "html_url": "u"}],
              "code_files": [{"file_path": "a.py", "code": LONG, "repo_name": "r"}]}],
            [{"id": "1", "title": "t", "abstract": "a", "url": "p", "repositories": [{"name": "r", "url": "u", "files": {"a.py": LONG}}]}],
            [{"id": "1", "title": "t", "abstract": "a", "url": "p", "code_files": [{"path": "a.py", "code": LONG, "repo_name": "r", "repo_url": "u"}]}],
            [{"id": "1", "title": "t", "abstract": "a", "url": "p", "repositories": [{"name": "x", "url": "y"}],
              "code_files": [{"path": "a.py", "code": LONG, "repo_name": "r", "repo_url": "u"}]}],
        ]:  # fmt: skip
            with self.subTest(json.dumps(papers)[:80]):
                _, found = self.run_inlay(papers)
                self.assertEqual(found, [{
                    "paper_id": "1", "paper_title": "t", "paper_abstract": "a", "paper_url": "p", "repo_name": "r", "repo_url": "u",
                    "file_path": "a.py", "function_name": "long_one", "code_text": LONG.strip(), "line_numbers": [1, 62], "has_docstring": True,
                    "num_lines": 62}])  # fmt: skip

    def test_what_pythons_json_module_writes_is_read(self):
        file = {"path": "a.py", "content": LONG + "    y = '\U0001f600'\n"}
        papers = [{"id": 2**70, "title": "half \ud83d of a pair", "abstract": float("nan"), "stars": float("-inf"), "url": "\udc00",
                   "repositories": [{"code_files": [file]}]}]  # fmt: skip
        text = json.dumps(papers)
        self.assertIn("NaN", text)
        _, found = self.run_inlay(text)
        self.assertEqual(len(found), 1)
        self.assertEqual(found[0]["paper_id"], str(2**70))
        self.assertEqual(found[0]["paper_title"], "half \ufffd of a pair")
        self.assertEqual((found[0]["paper_abstract"], found[0]["paper_url"]), ("", "\ufffd"))
        self.assertEqual(found[0]["code_text"], file["content"].strip())

    def test_options(self):
        files = [{"path": "a.py", "content": "def f():\n    return 1\n\n" + LONG}, {"path": "b.txt", "content": LONG}]
        papers = [{"id": str(i), "repositories": [{"code_files": files}]} for i in range(5)]
        self.assertEqual(len(self.run_inlay(papers)[1]), 5)
        self.assertEqual(len(self.run_inlay(papers, "--max-papers", 2)[1]), 2)
        self.assertEqual(len(self.run_inlay(papers, "--min-lines", 1)[1]), 5)
        self.assertEqual(len(self.run_inlay(papers, "--min-lines", 1, "--no-require-docstring")[1]), 10)
        self.assertEqual(len(self.run_inlay(papers, "--min-lines", 1, "--no-require-docstring", "--require-docstring")[1]), 5)
        self.assertEqual(self.run_inlay([])[1], [])
        self.output = self.folder / "papers.json"
        result, kept = self.run_inlay(papers, code=2)
        self.assertIn("is the input", result.stderr)
        self.assertEqual(kept, papers)
        self.output = self.folder / "out.json"
        self.assertEqual(self.run_inlay(papers, "--quiet")[0].stderr, "")

    def test_a_bad_record_is_told_and_the_rest_goes_on(self):
        good = {"id": "1", "repositories": [{"code_files": [{"path": "a.py", "content": LONG}]}]}
        bad = [7, {"id": {}}, {"repositories": [3]}, {"repositories": [{"code_files": [{"content": "x"}, 5]}]}, {"code_files": {"a.py": 1}}]
        result, found = self.run_inlay([*bad, good], code=3)
        self.assertEqual(len(found), 1)
        self.assertEqual(len([line for line in result.stderr.splitlines() if "warning" in line]), 6)
        for number in range(1, 6):
            self.assertIn(f"paper {number}: ", result.stderr)

    def test_broken_files_are_errors_and_leave_the_output_as_it_was(self):
        self.output.write_text("[]")
        for papers, named in [("", "list of papers"), ("{}", "list of papers"), ('{"papers": 5}', "list of papers"), ('[{"id": "1"}', "papers.json"),
                              ('[{"id": "1"} {"id": "2"}]', "comma"), ('[{"id": "1"}] x', "more"), ('{"papers": []} x', "more"), ("5", "list of papers")]:  # fmt: skip
            with self.subTest(papers):
                self.assertIn(named, self.run_inlay(papers, code=1)[0].stderr)
                self.assertEqual(self.output.read_text(), "[]")
        self.assertEqual([path.name for path in self.folder.iterdir() if path.name.endswith(".tmp")], [])

    def test_a_file_larger_than_what_is_held(self):
        paper = {"id": "1", "repositories": [{"code_files": [{"path": "a.md", "content": "words " * 35_000}, {"path": "a.py", "content": LONG}]}]}
        text = json.dumps(paper)
        with open(self.folder / "papers.json", "w") as file:
            file.write("[" + ",\n".join([text] * 1500) + "]")
        self.assertGreater((self.folder / "papers.json").stat().st_size, 300_000_000)
        pid = os.spawnv(os.P_NOWAIT, BIN, [BIN, "snippets", "--input", str(self.folder / "papers.json"), "--output", str(self.output), "--quiet"])
        _, status, usage = os.wait4(pid, 0)
        self.assertEqual(os.waitstatus_to_exitcode(status), 0)
        self.assertEqual(len(json.loads(self.output.read_text())), 1500)
        print(f"peak of 300 MB of papers: {usage.ru_maxrss / 1024:.0f} MB")
        self.assertLess(usage.ru_maxrss, (200 << 20) / 1024)


if __name__ == "__main__":
    unittest.main()

"""The Python package on the real model, beside sentence-transformers where that is installed."""

import importlib.util
import os
import pathlib
import subprocess
import sys
import textwrap
import threading
import time
import unittest

import numpy

import inlay

model = os.environ.get("INLAY_MODEL", "")
TEXTS = [
    "open a file",
    "parse JSON",
    "",
    "def fibonacci(n):\n    return n if n < 2 else fibonacci(n - 1) + fibonacci(n - 2)",
    "Überraschung: naïve café, 你好世界, こんにちは, مرحبا, नमस्ते, 🎉🚀",
    "one text that is far too long for the model " * 100,
]
needs_reference = unittest.skipUnless(importlib.util.find_spec("sentence_transformers"), "sentence-transformers is not installed")
needs_torch = unittest.skipUnless(importlib.util.find_spec("torch"), "torch is not installed")


def run_python(program: str) -> str:
    """In a process of its own, as what is imported first matters."""
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(program)], capture_output=True, text=True, timeout=300)
    if done.returncode != 0:
        raise AssertionError(f"exit status {done.returncode}\n{done.stdout}\n{done.stderr}")
    return done.stdout


class Python(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.generator = inlay.EmbeddingGenerator(model, threads=2)

    @classmethod
    def tearDownClass(cls):
        cls.generator.close()

    def test_encode_gives_a_float32_row_per_text(self):
        vectors = self.generator.encode(TEXTS)
        self.assertEqual((vectors.dtype, vectors.shape), (numpy.float32, (len(TEXTS), 384)))
        numpy.testing.assert_allclose(numpy.linalg.norm(vectors, axis=1), 1, atol=1e-5)
        self.assertEqual(self.generator.encode([]).shape, (0, 384))
        self.assertEqual(self.generator.encode(iter(TEXTS)).shape, vectors.shape)
        one = self.generator.encode(TEXTS[0])
        self.assertEqual(one.shape, (384,))
        numpy.testing.assert_allclose(one, vectors[0], rtol=0, atol=1e-6)

    @needs_reference
    def test_vectors_equal_sentence_transformers(self):
        import sentence_transformers

        reference = sentence_transformers.SentenceTransformer(model, device="cpu")
        expected = reference.encode(TEXTS)
        vectors = self.generator.encode(TEXTS)
        self.assertLessEqual(numpy.abs(vectors - expected).max(), 1e-5)
        for text in TEXTS:
            self.assertEqual(self.generator.tokenize(text).ids.tolist(), reference.tokenizer(text, truncation=True, max_length=256)["input_ids"])

    def test_every_item_has_its_report(self):
        result = self.generator.embed(TEXTS)
        self.assertEqual([item.status for item in result.items], [inlay.Status.OK] * len(TEXTS))
        self.assertEqual([item.truncated for item in result.items], [False] * 5 + [True])
        self.assertEqual(result.items[0], (inlay.Status.OK, 5, 5, ""))
        self.assertEqual(result.items[5].tokens_used, 256)

    def test_queries_know_their_type(self):
        plain, prefixed = self.generator.encode(["where", "Code search: where"])
        numpy.testing.assert_allclose(self.generator.query("where"), plain, rtol=0, atol=1e-6)
        for kind in (inlay.QueryType.CODE_SEARCH, "code_search"):
            numpy.testing.assert_allclose(self.generator.query("where", type=kind), prefixed, rtol=0, atol=1e-6)
        with self.assertRaisesRegex(ValueError, 'unknown query type "poetry"'):
            self.generator.query("where", type="poetry")

    def test_documents_and_code_have_their_context(self):
        document = inlay.Document("def login(user): ...", file_type="python", language="python", function_name="login")
        expected = self.generator.encode(["[PYTHON] [PYTHON] Function: login def login(user): ...", "[CPP] int main();"])
        numpy.testing.assert_allclose(self.generator.embed_documents([document]).vectors, expected[:1], rtol=0, atol=1e-6)
        numpy.testing.assert_allclose(self.generator.code("int main();", "cpp"), expected[1], rtol=0, atol=1e-6)

    def test_tokenize(self):
        # Ids from Hugging Face tokenizers 0.23 with the model's tokenizer.json.
        encoding = self.generator.tokenize("open a file")
        self.assertEqual((encoding.ids.tolist(), encoding.ids.dtype, encoding.tokens_seen), ([101, 2330, 1037, 5371, 102], numpy.int32, 5))
        self.assertEqual(self.generator.tokenize("open a file", 3).ids.tolist(), [101, 2330, 102])
        long = self.generator.tokenize("word " * 1000, inlay.NO_LIMIT)
        self.assertEqual((len(long.ids), long.tokens_seen), (1002, 1002))
        self.assertIsNone(encoding.offsets)
        placed = self.generator.tokenize("the \u00e0 file", offsets=True)
        self.assertEqual(placed.ids.tolist(), self.generator.tokenize("the \u00e0 file").ids.tolist())
        self.assertEqual(placed.offsets.tolist(), [[0, 0], [0, 3], [4, 6], [7, 11], [0, 0]])
        self.assertEqual(self.generator.tokenize("word " * 1000, inlay.NO_LIMIT, offsets=True).offsets[1000].tolist(), [4995, 4999])
        self.assertEqual(self.generator.token(2330), "open")
        self.assertEqual(self.generator.token(10**12), "")

    def test_text_that_is_not_utf8_is_embedded(self):
        lone_surrogate, broken = self.generator.encode(["a \ud800 b", b"a \xff b"])
        self.assertTrue(numpy.isfinite(lone_surrogate).all() and numpy.isfinite(broken).all())
        numpy.testing.assert_allclose(broken, self.generator.encode("a \N{REPLACEMENT CHARACTER} b"), rtol=0, atol=1e-6)

    def test_info_and_memory(self):
        info = self.generator.info
        self.assertEqual((info.architecture, info.dimension, info.max_sequence_length, info.threads), ("bert", 384, 256, 2))
        self.assertEqual((info.path, info.normalized, info.library_version), (model, True, inlay.version()))
        self.assertIsInstance(info.prompts, dict)
        self.assertGreater(self.generator.memory().weights, 80_000_000)
        self.generator.trim()

    def test_from_memory(self):
        files = {str(path.relative_to(model)): path.read_bytes() for path in pathlib.Path(model).rglob("*") if path.is_file()}
        with inlay.EmbeddingGenerator("mine", files=files, threads=2) as generator:
            self.assertEqual((generator.info.name, generator.info.path), ("mine", ""))
            self.assertTrue((generator.encode(TEXTS) == self.generator.encode(TEXTS)).all())

    def test_errors_have_status_and_message(self):
        with self.assertRaisesRegex(inlay.Error, "/no/such/model") as raised:
            inlay.EmbeddingGenerator("/no/such/model")
        self.assertEqual(raised.exception.status, inlay.Status.NOT_FOUND)
        with self.assertRaisesRegex(inlay.Error, "Invalid pooling method"):
            inlay.EmbeddingGenerator(model, pooling="median")
        with self.assertRaisesRegex(ValueError, "threads is -1"):
            inlay.EmbeddingGenerator(model, threads=-1)
        with self.assertRaisesRegex(TypeError, r"texts\[1\]"):
            self.generator.encode(["fine", 5])

    def test_progress_is_reported_and_can_stop(self):
        with inlay.EmbeddingGenerator(model, batch_size=1, threads=1) as generator:
            seen = []
            generator.encode(["text"] * 5, progress=seen.append)
            self.assertEqual((seen[-1].done, seen[-1].total), (5, 5))
            with self.assertRaises(inlay.Error) as raised:
                generator.encode(["text"] * 50, progress=lambda progress: True)
            self.assertEqual(raised.exception.status, inlay.Status.CANCELLED)
            result = raised.exception.result
            done = [item.status == inlay.Status.OK for item in result.items]
            self.assertTrue(any(done) and not all(done))
            self.assertEqual(numpy.isfinite(result.vectors).all(axis=1).tolist(), done)
            self.assertTrue(all(bool(item.message) != ok for item, ok in zip(result.items, done)))
            with self.assertRaisesRegex(KeyError, "mine"):
                generator.encode(["text"] * 50, progress=lambda progress: {}["mine"])

    def test_a_token_cancels_from_another_thread(self):
        token = inlay.CancelToken()
        with inlay.EmbeddingGenerator(model, batch_size=1, threads=1) as generator:
            started = threading.Event()

            def wait_and_cancel():
                started.wait()
                token.cancel()

            def tell(progress):
                started.set()
                canceller.join()

            canceller = threading.Thread(target=wait_and_cancel)
            canceller.start()
            with self.assertRaises(inlay.Error) as raised:
                generator.encode(["text"] * 50, progress=tell, cancel=token)
            self.assertEqual(raised.exception.status, inlay.Status.CANCELLED)
            self.assertTrue(token.cancelled)
            with self.assertRaises(inlay.Error):
                generator.encode(["text"], cancel=token)

    def test_threads_share_a_generator_and_closing_waits_for_them(self):
        generator = inlay.EmbeddingGenerator(model, threads=2)
        expected = generator.encode(TEXTS)
        problems, running = [], threading.Barrier(9)

        def work():
            try:
                running.wait()
                numpy.testing.assert_allclose(generator.encode(TEXTS), expected, rtol=0, atol=1e-6)
            except ValueError as error:  # closed before this thread's call began
                if "closed" not in str(error):
                    problems.append(error)
            except BaseException as error:
                problems.append(error)

        threads = [threading.Thread(target=work) for _ in range(8)]
        for thread in threads:
            thread.start()
        running.wait()
        time.sleep(0.01)
        generator.close()
        for thread in threads:
            thread.join()
        self.assertEqual(problems, [])
        with self.assertRaisesRegex(ValueError, "closed"):
            generator.encode(["text"])

    def test_similarity_and_top_k(self):
        generator = numpy.random.default_rng(7)
        vectors = generator.standard_normal((50, 384)).astype(numpy.float32)
        query = vectors[13] + 0.5 * generator.standard_normal(384).astype(numpy.float32)
        cosines = (vectors @ query) / (numpy.linalg.norm(vectors, axis=1) * numpy.linalg.norm(query))
        matches = inlay.top_k(query, vectors, 5)
        self.assertEqual([match.row for match in matches], numpy.argsort(-cosines)[:5].tolist())
        self.assertEqual(matches[0].row, 13)
        numpy.testing.assert_allclose([match.score for match in matches], numpy.sort(cosines)[::-1][:5], atol=1e-6)
        self.assertAlmostEqual(inlay.cosine_similarity(query, vectors[13]), cosines[13], places=6)
        self.assertEqual(len(inlay.top_k(query, vectors, 1000)), 50)
        with self.assertRaisesRegex(ValueError, "shape"):
            inlay.top_k(query[:-1], vectors, 5)

    def test_log_callback(self):
        messages = []
        inlay.set_log_callback(lambda level, message: messages.append((level, message)))
        self.generator.encode(["text"])
        inlay.set_log_callback(None)
        self.assertTrue(all(isinstance(level, inlay.LogLevel) and message for level, message in messages))


class Process(unittest.TestCase):
    """What the library does to the process that it is loaded into."""

    def test_python_needs_no_torch(self):
        run_python(f"""
            import sys, inlay
            inlay.EmbeddingGenerator({model!r}).encode(["text"])
            assert "torch" not in sys.modules
        """)

    @needs_torch
    def test_torch_may_be_imported_before_or_after(self):
        use = f'vectors = inlay.EmbeddingGenerator({model!r}).encode(["text"]); assert vectors.shape == (1, 384)'
        compute = "assert torch.nn.functional.linear(torch.ones(3, 4), torch.ones(5, 4)).sum() == 60"
        run_python(f"import torch; {compute}; import inlay; {use}; {compute}")
        run_python(f"import inlay; {use}; import torch; {compute}; {use}")

    @needs_torch
    def test_the_hosts_torch_settings_stay(self):
        run_python(f"""
            import torch, inlay
            torch.set_num_threads(3)
            torch.set_default_dtype(torch.float64)
            def settings():
                return (torch.get_num_threads(), torch.get_num_interop_threads(), torch.is_grad_enabled(), torch.get_default_dtype(),
                        torch.is_inference_mode_enabled(), torch.get_float32_matmul_precision(), torch.are_deterministic_algorithms_enabled())
            before = settings()
            with inlay.EmbeddingGenerator({model!r}, threads=1) as generator:
                assert settings() == before, settings()
                vectors = generator.encode(["text"] * 20)
                assert settings() == before, settings()
                with torch.inference_mode():
                    assert (generator.encode(["text"] * 20) == vectors).all()
            assert settings() == before, settings()
        """)

    def test_a_forked_child_is_refused_and_can_load_its_own(self):
        run_python(f"""
            import os, inlay
            parent = inlay.EmbeddingGenerator({model!r}, threads=2)
            vectors = parent.encode(["text"])
            child = os.fork()
            if child == 0:
                status = 1
                try:
                    try:
                        parent.encode(["text"])
                    except inlay.Error as error:
                        assert error.status == inlay.Status.UNSUPPORTED, error
                    else:
                        raise AssertionError("the parent's generator worked in the child")
                    parent.close()
                    with inlay.EmbeddingGenerator({model!r}, threads=1) as own:
                        assert abs(own.encode(["text"]) - vectors).max() <= 1e-6
                    status = 0
                finally:
                    os._exit(status)
            assert os.waitpid(child, 0)[1] == 0
            assert (parent.encode(["text"]) == vectors).all()
        """)

    def test_nothing_is_printed_and_the_locale_and_signals_stay(self):
        output = run_python(f"""
            import locale, signal, inlay
            before = [signal.getsignal(number) for number in signal.valid_signals()]
            name = locale.setlocale(locale.LC_ALL)
            with inlay.EmbeddingGenerator({model!r}) as generator:
                generator.encode(["text"])
                try:
                    inlay.EmbeddingGenerator("/no/such/model")
                except inlay.Error:
                    pass
            assert locale.setlocale(locale.LC_ALL) == name
            assert [signal.getsignal(number) for number in signal.valid_signals()] == before
        """)
        self.assertEqual(output, "")

    def test_the_library_is_named_when_it_cannot_be_loaded(self):
        program = "import os; os.environ['INLAY_LIBRARY'] = '/no/such/libinlay_c.so'; import inlay"
        done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
        self.assertIn("/no/such/libinlay_c.so", done.stderr)
        self.assertIn("ImportError", done.stderr)


if __name__ == "__main__":
    if not model:
        print("skipped: INLAY_MODEL is not set")
        sys.exit(77)
    unittest.main()

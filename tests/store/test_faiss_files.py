"""Python's faiss reads the indexes that Inlay writes, and Inlay those that faiss writes; both find the same rows in them."""

import pathlib
import subprocess
import sys
import tempfile

import numpy

try:
    import faiss
except ImportError:
    print("skipped: faiss is not installed")
    sys.exit(77)

ROWS, COLUMNS, QUERIES, K = 4000, 48, 40, 10


def rows(count, seed):
    random = numpy.random.default_rng(seed)
    centres = numpy.random.default_rng(1).normal(size=(40, COLUMNS))
    vectors = centres[random.integers(0, 40, count)] + 0.7 * random.normal(size=(count, COLUMNS))
    return (vectors / numpy.linalg.norm(vectors, axis=1, keepdims=True)).astype(numpy.float32)


class Worker:
    def __init__(self, program, folder):
        self.program, self.folder = program, folder

    def run(self, *arguments):
        return subprocess.run([self.program, *map(str, arguments)], check=True, capture_output=True, text=True).stdout

    def search(self, index, queries, effort=0):
        numpy.save(self.folder / "queries.npy", queries)
        found = []
        for line in self.run("search", index, self.folder / "queries.npy", K, effort).splitlines():
            pairs = [pair.split(":") for pair in line.split()]
            found.append(([int(row) for row, _ in pairs], [float(score) for _, score in pairs]))
        return [ids for ids, _ in found], numpy.array([scores for _, scores in found])


def check_equal(ours, theirs, what):
    """The same rows with the same scores; versions of faiss may differ in a row or two of what they find in a graph."""
    (our_ids, our_scores), (scores, ids) = ours, theirs
    shared = 0
    for query in range(QUERIES):
        found = dict(zip(ids[query].tolist(), scores[query].tolist()))
        for row, score in zip(our_ids[query], our_scores[query]):
            assert abs(found.get(row, score) - score) < 2e-6, f"{what}: row {row} has the score {score}, not {found[row]}"
            shared += row in found
    least = 0.98 if "hnsw" in what else 0.995
    assert shared >= least * QUERIES * K, f"{what}: only {shared} of {QUERIES * K} rows are the same"
    print(f"{what}: {QUERIES} queries, {K} rows each: {shared} of {QUERIES * K} rows the same, with the same scores")


def foreign_indexes(vectors):
    flat = faiss.IndexFlatIP(COLUMNS)
    graph = faiss.IndexHNSWFlat(COLUMNS, 16, faiss.METRIC_INNER_PRODUCT)
    lists = faiss.IndexIVFPQ(faiss.IndexFlatIP(COLUMNS), COLUMNS, 32, 12, 8, faiss.METRIC_INNER_PRODUCT)
    lists.train(vectors)
    lists.nprobe = 8
    graph.hnsw.efSearch = 200  # of an approximate search with less, versions of faiss differ in what they find
    for index in (flat, graph, lists):
        index.add(vectors)
    return {"flat": flat, "hnsw": graph, "ivf_pq": lists}


def main():
    vectors, queries = rows(ROWS, 2), rows(QUERIES, 3)
    exact = numpy.argsort(-(queries @ vectors.T), axis=1)[:, :K]
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        worker = Worker(sys.argv[1], folder)
        numpy.save(folder / "rows.npy", vectors)
        for kind, least_recall in (("flat", 1.0), ("hnsw", 0.98), ("ivf_pq", 0.6)):
            worker.run("save", kind, folder / "rows.npy", folder / f"{kind}.index")
            index = faiss.read_index(str(folder / f"{kind}.index"))
            assert (index.ntotal, index.d, index.metric_type) == (ROWS, COLUMNS, faiss.METRIC_INNER_PRODUCT)
            found = index.search(queries, K)
            check_equal(worker.search(folder / f"{kind}.index", queries), found, f"{kind}, written by Inlay")
            recall = numpy.mean([len(set(a) & set(b)) / K for a, b in zip(found[1].tolist(), exact.tolist())])
            assert recall >= least_recall - 1e-9, f"{kind}: recall@{K} {recall}"
        for kind, index in foreign_indexes(vectors).items():
            faiss.write_index(index, str(folder / "foreign.index"))
            check_equal(worker.search(folder / "foreign.index", queries), index.search(queries, K), f"{kind}, written by faiss")
        unknown = faiss.IndexFlatL2(COLUMNS)
        unknown.add(vectors)
        faiss.write_index(unknown, str(folder / "foreign.index"))
        refused = subprocess.run([sys.argv[1], "search", folder / "foreign.index", folder / "queries.npy", "5"], capture_output=True, text=True)
        assert refused.returncode == 1 and "foreign.index" in refused.stderr, refused.stderr


main()

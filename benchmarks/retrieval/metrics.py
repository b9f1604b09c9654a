"""Retrieval metrics where query i has one relevant document, document i, and all documents are searched.

`check` compares them with an example that was worked out by hand.
"""

import numpy

SAMPLES = 2000  # of the bootstrap
BLOCK = 1000  # queries scored at once
NAMES = ("MRR", "recall@1", "recall@5", "recall@10", "nDCG@10")


def ranks(queries, documents):
    """The rank of each query's document by dot product, from 1; of equal scores the earlier row comes first, as in inlay::top_k."""
    found = []
    for begin in range(0, len(queries), BLOCK):
        block = queries[begin : begin + BLOCK]
        found.append(ranks_of_scores(block @ documents.T, numpy.arange(begin, begin + len(block))))
    return numpy.concatenate(found)


def ranks_by_best_piece(queries, pieces, owners):
    """The same where a document is as near as the nearest of its pieces; `owners` says whose a piece is, in ascending order."""
    first = numpy.flatnonzero(numpy.diff(owners, prepend=-1))
    found = []
    for begin in range(0, len(queries), BLOCK):
        block = queries[begin : begin + BLOCK]
        scores = numpy.maximum.reduceat(block @ pieces.T, first, axis=1)
        found.append(ranks_of_scores(scores, numpy.arange(begin, begin + len(block))))
    return numpy.concatenate(found)


def mean_of_pieces(pieces, owners, weights):
    """One vector of length 1 for each owner."""
    first = numpy.flatnonzero(numpy.diff(owners, prepend=-1))
    sums = numpy.add.reduceat(pieces * weights[:, None], first, axis=0)
    return (sums / numpy.linalg.norm(sums, axis=1, keepdims=True)).astype(numpy.float32)


def ranks_of_scores(scores, relevant):
    own = scores[numpy.arange(len(scores)), relevant][:, None]
    earlier = numpy.arange(scores.shape[1])[None, :] < relevant[:, None]
    return 1 + (scores > own).sum(axis=1) + ((scores == own) & earlier).sum(axis=1)


def values_by_query(rank):
    """One column for each of NAMES. The best possible DCG is 1: there is one relevant document."""
    gain = numpy.where(rank <= 10, 1 / numpy.log2(1 + rank), 0)
    return numpy.stack([1 / rank, rank <= 1, rank <= 5, rank <= 10, gain], axis=1).astype(numpy.float64)


def bootstrap_weights(count, seed=0):
    """How often each query is drawn in each sample, as a share: the same draws for all variants, so that differences are paired."""
    draws = numpy.random.default_rng(seed).multinomial(count, numpy.full(count, 1 / count), size=SAMPLES)
    return (draws / count).astype(numpy.float32)


def mean_and_interval(values, weights):
    """Mean over the queries, and the 2.5% and 97.5% quantiles of the bootstrap, for each column."""
    low, high = numpy.quantile(weights @ values.astype(numpy.float32), (0.025, 0.975), axis=0)
    return {name: [float(values[:, i].mean()), float(low[i]), float(high[i])] for i, name in enumerate(NAMES)}


def int8_by_vector(vectors):
    """Symmetric int8 with one scale a vector, and back."""
    scale = numpy.abs(vectors).max(axis=1, keepdims=True) / 127
    return (numpy.rint(vectors / scale).astype(numpy.int8) * scale).astype(numpy.float32)


def int8_by_dimension(vectors):
    """Symmetric int8 with one scale a dimension, and back."""
    scale = numpy.abs(vectors).max(axis=0, keepdims=True) / 127
    return (numpy.rint(vectors / scale).astype(numpy.int8) * scale).astype(numpy.float32)


def check():
    # Query 0 finds its document first, query 1 third, behind 0.9 and 0.8; query 2 second: documents 0 and 2 are equal, and 0 comes first.
    scores = numpy.array([[0.9, 0.1, 0.2], [0.9, 0.3, 0.8], [0.7, 0.1, 0.7]])
    rank = ranks_of_scores(scores, numpy.arange(3))
    assert rank.tolist() == [1, 3, 2], rank
    values = values_by_query(rank)
    expected = [(1 + 1 / 3 + 1 / 2) / 3, 1 / 3, 1, 1, (1 + 0.5 + 0.6309297535714575) / 3]  # 1 / log2(4) = 0.5, 1 / log2(3) = 0.63093
    assert numpy.allclose(values.mean(axis=0), expected, atol=1e-12), values.mean(axis=0)
    assert values_by_query(numpy.array([11]))[0].tolist() == [1 / 11, 0, 0, 0, 0]
    assert ranks(numpy.eye(3), numpy.eye(3)[[1, 0, 2]]).tolist() == [2, 2, 1]
    pieces, owners = numpy.array([[1.0, 0], [0.6, 0.8], [0, 1]]), numpy.array([0, 0, 1])
    assert ranks_by_best_piece(numpy.array([[0.8, 0.6], [0.6, 0.8]]), pieces, owners).tolist() == [1, 2]  # 0.96 > 0.6; 1 > 0.8
    assert numpy.allclose(mean_of_pieces(pieces, owners, numpy.array([1, 5, 2]))[0], [4 / 32**0.5, 4 / 32**0.5])
    vectors = numpy.array([[1.0, -0.25], [0.02, 0.005]], numpy.float32)
    by_vector = [[1.0, -32 / 127], [0.02, 0.02 * 32 / 127]]  # -0.25 * 127 = -31.75, 0.005 * 127 / 0.02 = 31.75
    assert numpy.allclose(int8_by_vector(vectors), by_vector, atol=1e-6), int8_by_vector(vectors)
    by_dimension = [[1.0, -0.25], [3 / 127, 3 * 0.25 / 127]]  # 0.02 * 127 = 2.54, 0.005 * 127 / 0.25 = 2.54
    assert numpy.allclose(int8_by_dimension(vectors), by_dimension, atol=1e-6), int8_by_dimension(vectors)
    weights = bootstrap_weights(3)
    assert numpy.allclose(weights.sum(axis=1), 1)
    mean, low, high = mean_and_interval(values, weights)["MRR"]
    assert numpy.isclose(mean, expected[0]) and 1 / 3 <= low < mean < high <= 1

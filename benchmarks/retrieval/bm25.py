"""BM25 over the words of names and code, what can be had without a model.

S. Robertson, H. Zaragoza: The Probabilistic Relevance Framework: BM25 and Beyond, 2009; the idf that is never negative is Lucene's.
"""

import collections
import re

import numpy

K1, B = 1.2, 0.75
WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")


def words_of(text):
    """The words of identifiers, too: parse_HTTPDate -> parse http date."""
    return [word.lower() for word in WORD.findall(text)]


def scores(queries, documents):
    """float32 [queries, documents]."""
    postings = collections.defaultdict(list)
    lengths = numpy.empty(len(documents))
    for row, document in enumerate(documents):
        counts = collections.Counter(words_of(document))
        lengths[row] = sum(counts.values())
        for word, count in counts.items():
            postings[word].append((row, count))
    norms = K1 * (1 - B + B * lengths / lengths.mean())
    weights = {}
    for word, entries in postings.items():
        rows, counts = numpy.array(entries).T
        idf = numpy.log(1 + (len(documents) - len(rows) + 0.5) / (len(rows) + 0.5))
        weights[word] = rows, idf * counts * (K1 + 1) / (counts + norms[rows])
    result = numpy.zeros((len(queries), len(documents)), numpy.float32)
    for row, query in enumerate(queries):
        for word in words_of(query):
            if word in weights:
                columns, values = weights[word]
                result[row, columns] += values
    return result

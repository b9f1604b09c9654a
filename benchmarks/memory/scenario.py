"""Peak resident memory of a process that loads the model and embeds the corpus of the throughput scenario once."""

import harness


def measure(settings):
    texts = harness.standard_library_functions(96 if settings.quick else 400)
    path = harness.write_texts(settings, "memory", texts)
    rows = []
    for name in ["inlay"] + settings.peers:
        with harness.Worker(settings, name) as worker:
            about = worker.ask("about")["name"]
            loaded = worker.peak_memory()
            worker.ask("load", texts=path)
            worker.ask("encode")
            rows.append({"scenario": "memory", "who": about, "texts": len(texts), "MB loaded": loaded / 1e6, "MB peak": worker.peak_memory() / 1e6})
    return rows


def show(rows):
    return [f"{row['scenario']:<17} {row['who']:<44} {row['MB loaded']:6.0f} MB loaded, {row['MB peak']:6.0f} MB at the peak" for row in rows]

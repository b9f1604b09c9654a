"""Texts and tokens a second on Python functions (mixed lengths) and on their first lines (short texts)."""

import harness


def compare(settings, name, texts, rounds):
    path = harness.write_texts(settings, name, texts)
    workers = [harness.Worker(settings, worker) for worker in ["inlay"] + settings.peers]
    try:
        for worker in workers:
            worker.ask("load", texts=harness.write_texts(settings, f"{name}_warm_up", texts[: len(texts) // 8 + 1]))
            worker.ask("encode")
            worker.ask("load", texts=path)
        lowest_cosine, tokens = {}, 0
        seconds = {worker.name: [] for worker in workers}
        for turn in range(rounds):  # A B A B: what slows the machine down for a while slows all alike
            for worker in workers:
                answer = worker.ask("encode")
                seconds[worker.name].append(answer["seconds"])
                tokens = answer.get("tokens", tokens)
            if turn == 0:
                lowest_cosine = harness.check_same_vectors(settings, workers)
        rows = []
        for worker in workers:
            time = harness.summary(seconds[worker.name])
            ratios = [theirs / ours for theirs, ours in zip(seconds[worker.name], seconds["inlay"])]
            rows.append({
                "scenario": name,
                "who": worker.ask("about")["name"],
                "texts": len(texts),
                "tokens": tokens,
                "seconds": time,
                "texts/s": len(texts) / time["median"],
                "tokens/s": tokens / time["median"],
                "inlay is faster by": harness.summary(ratios),
                "lowest cosine": lowest_cosine.get(worker.name),
            })
        return rows
    finally:
        for worker in workers:
            worker.close()


def measure(settings):
    count, rounds = (min(96, settings.texts), 3) if settings.quick else (settings.texts, 5)
    rows = compare(settings, "throughput_code", harness.standard_library_functions(count), rounds)
    rows += compare(settings, "throughput_lines", harness.one_line_texts(8 * count), rounds)
    return rows


def show(rows):
    lines = []
    for row in rows:
        ratio = row["inlay is faster by"]
        lines.append(
            f"{row['scenario']:<17} {row['who']:<44} {row['texts/s']:8.1f} texts/s {row['tokens/s']:9.0f} tokens/s ±{row['seconds']['spread']:5.1%}"
            + (f"  inlay is {ratio['median']:.2f}x as fast ±{ratio['spread']:.1%}, lowest cosine {row['lowest cosine']:.7f}" if row["lowest cosine"] else "")
        )
    return lines

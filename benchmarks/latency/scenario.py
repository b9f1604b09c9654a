"""One 12-token query at a time on a warm model: the time that a user of a search box waits."""

import harness

QUERY = "how do I read a text file by line?"


def measure(settings):
    rounds, times = (2, 100) if settings.quick else (5, 400)
    path = harness.write_texts(settings, "query", [QUERY])
    workers = [harness.Worker(settings, worker) for worker in ["inlay"] + settings.peers]
    try:
        for worker in workers:
            worker.ask("load", texts=path)
            worker.ask("encode_each", times=20)
        lowest_cosine = harness.check_same_vectors(settings, workers)
        seconds = {worker.name: [] for worker in workers}
        for _ in range(rounds):
            for worker in workers:
                answer = worker.ask("encode_each", times=times)
                seconds[worker.name].append(answer["seconds"])
                assert answer.get("tokens", 12) == 12, answer
        rows = []
        for worker in workers:
            every = [second for turn in seconds[worker.name] for second in turn]
            rows.append({
                "scenario": "latency",
                "who": worker.ask("about")["name"],
                "query": QUERY,
                "calls": len(every),
                "p50 ms": 1e3 * harness.percentile(every, 50),
                "p99 ms": 1e3 * harness.percentile(every, 99),
                "p50 ms by round": harness.summary([1e3 * harness.percentile(turn, 50) for turn in seconds[worker.name]]),
                "lowest cosine": lowest_cosine.get(worker.name),
            })
        return rows
    finally:
        for worker in workers:
            worker.close()


def show(rows):
    return [f"{row['scenario']:<17} {row['who']:<44} p50 {row['p50 ms']:6.2f} ms  p99 {row['p99 ms']:6.2f} ms ±{row['p50 ms by round']['spread']:5.1%}" for row in rows]

"""`python -m ops.bench [NAME…]`: runs all benchmarks or the named ones."""

import sys

from ops.bench import (
    claiming,
    cost,
    deliveries,
    end_to_end,
    in_flight,
    lists,
    looks,
    soak,
    streams,
    submit,
)

BENCHMARKS = {
    "submit": submit.main,
    "claiming": claiming.main,
    "cost": cost.main,
    "lists": lists.main,
    "looks": looks.main,
    "in_flight": in_flight.main,
    "end_to_end": end_to_end.main,
    "deliveries": deliveries.main,
    "streams": streams.main,
    "soak": soak.main,
}


def main() -> None:
    names = sys.argv[1:] or list(BENCHMARKS)
    if unknown := set(names) - set(BENCHMARKS):
        sys.exit(f"no benchmark {unknown.pop()!r}; there are {', '.join(BENCHMARKS)}")
    for name in names:
        print(f"\n## {name}\n", flush=True)
        BENCHMARKS[name]()


if __name__ == "__main__":
    main()

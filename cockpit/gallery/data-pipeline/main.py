"""Ray Data: read, transform in batches, filter, group; the answer is known, so it is checked."""

import argparse
import json
import sys
import time

import numpy
import ray


def features(batch: dict[str, numpy.ndarray]) -> dict[str, numpy.ndarray]:
    """Columns computed from the row number, a block at a time."""
    number = batch["id"]
    return {"id": number, "square": number**2, "bucket": number % 10}


def main() -> None:
    """Run the pipeline and compare it with the formula."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=200_000)
    parser.add_argument("--blocks", type=int, default=16)
    args = parser.parse_args()

    ray.init(address="auto", log_to_driver=False)
    ray.data.DataContext.get_current().enable_progress_bars = False
    begun = time.monotonic()
    dataset = (
        ray.data.range(args.rows, override_num_blocks=args.blocks)
        .map_batches(features, batch_format="numpy")
        .filter(lambda row: row["id"] % 2 == 0)
        .materialize()
    )
    print(dataset.stats(), flush=True)
    buckets = {row["bucket"]: row["sum(square)"] for row in dataset.groupby("bucket").sum("square").take_all()}
    seconds = time.monotonic() - begun

    expected = {}
    for number in range(0, args.rows, 2):
        expected[number % 10] = expected.get(number % 10, 0) + number**2
    rows = dataset.count()
    ok = rows == (args.rows + 1) // 2 and buckets == expected
    print(f"{rows} rows in {len(buckets)} buckets, {rows / seconds:,.0f} rows/s")
    result = {"ok": ok, "rows": rows, "buckets": len(buckets), "seconds": round(seconds, 1)}
    print("RESULT " + json.dumps(result), flush=True)
    sys.exit(not ok)


if __name__ == "__main__":
    main()

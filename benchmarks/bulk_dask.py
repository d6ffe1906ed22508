"""``predict --run --dask`` with a cluster on this machine: one scheduler, so many workers of one thread.

``python -m benchmarks.bulk_dask INPUT OUTPUT --run DIR --workers N``; the cluster is started and ended by it, so that all of its
processes descend from this one and can be watched together.
"""

import argparse
from pathlib import Path

from newswinnow.scoring.plan import RunPlan
from newswinnow.scoring.run import run


def main() -> None:
    """Score a file."""
    from distributed import LocalCluster

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("input")
    parser.add_argument("output", type=Path)
    parser.add_argument("--run", type=Path, required=True)
    parser.add_argument("--workers", type=int, default=2)
    options = parser.parse_args()
    with LocalCluster(n_workers=options.workers, threads_per_worker=1, dashboard_address=None) as cluster:
        plan = RunPlan((options.input,), options.run, output=options.output, overwrite=True, cluster=cluster.scheduler_address)
        print(run(plan).as_dict())


if __name__ == "__main__":
    main()

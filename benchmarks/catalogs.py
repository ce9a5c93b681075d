"""Matched catalogues of millions of sources: ours beside a straightforward pandas and astropy implementation.

The catalogue: 40 000 stars and galaxies in a field of 5 x 5 degrees, seen by visits of a camera 3.5 degrees wide that
is pointed all over it, three of four sources within its field being detected; 1000 visits are 10 million sources. Rows
come visit by visit, identifiers are 64-bit numbers. Each implementation reads the same Parquet file in a process of its
own.

    python benchmarks/catalogs.py                     # ours at 1, 2, 5 and 10 million, the peer at 1 and 10 million
    python benchmarks/catalogs.py --one-in 10         # the peer measures every tenth pair, and is scaled up
    python benchmarks/catalogs.py --objects 200000    # a field so dense that an even share of the pairs is measured
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import pandas as pd

OBJECTS, FIELD_DEG, CAMERA_DEG, DITHER_DEG, FOUND = 40_000, 5.0, 3.5, 3.6, 0.75
CENTRE = (150.0, 2.0)
NAMES = ("PA1", "PF1", "AM1", "AM2")
MAS_DEG = 1 / 3.6e6
MEGA = 1_000_000


def draw(path: Path, *, sources: int, objects: int = OBJECTS, seed: int = 1) -> None:
    """Write the catalogue."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    rng = np.random.default_rng(seed)
    east, north = rng.uniform(-FIELD_DEG / 2, FIELD_DEG / 2, (2, objects))
    ra, dec = CENTRE[0] + east / np.cos(np.radians(CENTRE[1] + north)), CENTRE[1] + north
    # Counts rise as 10^(0.2 m); a fifth are galaxies, one in twenty has flags.
    magnitude = 5 * np.log10(rng.uniform(10 ** (16 / 5), 10 ** (22.5 / 5), objects))
    extended, spoilt = rng.random(objects) < 0.2, rng.random(objects) < 0.05
    identifier = 4_000_000_000_000_000 + 7 * rng.permutation(objects)
    batches, done = [], 0
    for visit in range(sources):
        pointing = rng.uniform(-DITHER_DEG / 2, DITHER_DEG / 2, 2)
        inside = np.hypot(east - pointing[0], north - pointing[1]) < CAMERA_DEG / 2
        seen = rng.permutation(np.flatnonzero(inside & (rng.random(objects) < FOUND)))[: sources - done]
        snr = 5 * 10 ** (0.4 * (24.5 - magnitude[seen])) * rng.uniform(0.9, 1.1, len(seen))
        scatter = rng.normal(size=(3, len(seen))) * np.hypot([[8.0], [7.0], [7.0]], [[1086.0], [300.0], [300.0]] / snr)
        columns = {
            "object": identifier[seen],
            "visit": np.full(len(seen), 2_026_010_100_000 + 977 * visit),
            "ra": ra[seen] + scatter[1] * MAS_DEG / np.cos(np.radians(dec[seen])),
            "dec": dec[seen] + scatter[2] * MAS_DEG,
            "mag": (magnitude[seen] + scatter[0] / 1000).astype(np.float32),
            "snr": snr.astype(np.float32),
            "extendedness": extended[seen].astype(np.float32),
            "flag": spoilt[seen] & (rng.random(len(seen)) < 0.1),
        }
        batches.append(pa.table(columns))
        done += len(seen)
        if done == sources:
            break
    pq.write_table(pa.concat_tables(batches), path, compression="none", use_dictionary=False)


def ours(path: Path) -> dict[str, Any]:
    """Measure with obsqa, in this process, which has done nothing else."""
    import pyarrow.parquet as pq

    from qa.metrics import METRICS, Tables
    from qa.metrics.groups import Catalog
    from qa.model import Scope

    times = {"import": _cpu()}
    file = pq.ParquetFile(path)
    columns = {name: file.read([name], use_threads=False)[name].to_numpy() for name in file.schema_arrow.names}
    times["read"] = _cpu()
    tables, values = Tables(matched=Catalog(columns)), {}
    for name in NAMES:
        measured = METRICS[name](tables, Scope("benchmark", "catalogue", "r"))
        values[name] = (measured.value, measured.n, measured.stderr)
        times[name] = _cpu()
    return {"values": values, "cpu": _differences(times), "visits": len(np.unique(columns["visit"]))}


def peer(path: Path, *, one_in: int) -> dict[str, Any]:
    """Measure with pandas and astropy as one would write it down; of the pairs of stars, one in `one_in`."""
    import pandas as pd

    times = {"import": _cpu()}
    table = pd.read_parquet(path).astype({"mag": float})
    times["read"] = _cpu()
    bright = _chosen(table, snr=200.0)
    magnitudes = bright[bright.groupby("object")["mag"].transform("size") >= 3].groupby("object")["mag"]
    spread = magnitudes.std(ddof=0)
    values = {"PA1": (float(1000 * spread.median()), len(spread))}
    times["PA1"] = _cpu()
    rows = bright.loc[magnitudes.transform("mean").index]
    outside = 1000 * (rows["mag"] - magnitudes.transform("mean")).abs() > 15
    values["PF1"] = (float(100 * outside.mean()), len(outside))
    times["PF1"] = _cpu()
    for name, distance in (("AM1", 5.0), ("AM2", 20.0)):
        stars = _chosen(table, snr=50.0, magnitudes=(17.0, 21.5))
        values[name] = _scatter(stars, distance, one_in)
        times[name] = _cpu()
    return {"values": values, "cpu": _differences(times)}


def _chosen(table: pd.DataFrame, *, snr: float, magnitudes: tuple[float, float] | None = None) -> pd.DataFrame:
    groups = table.groupby("object")
    stars = groups.agg(
        n=("mag", "size"),
        snr=("snr", "median"),
        mag=("mag", "median"),
        size=("extendedness", "max"),
        flag=("flag", "any"),
    )
    good = (stars["n"] > 1) & (stars["snr"] >= snr) & (stars["size"] < 0.9) & ~stars["flag"]
    if magnitudes is not None:
        good &= (stars["mag"] >= magnitudes[0]) & (stars["mag"] < magnitudes[1])
    return table[table["object"].isin(stars.index[good])]


def _scatter(stars: pd.DataFrame, distance: float, one_in: int) -> tuple[float, int]:
    import pandas as pd
    from astropy import units as u
    from astropy.coordinates import SkyCoord, angular_separation, search_around_sky

    mean = stars.groupby("object")[["ra", "dec"]].mean()
    coords = SkyCoord(mean["ra"], mean["dec"], unit="deg")
    first, second, apart, _ = search_around_sky(coords, coords, (distance + 1) * u.arcmin)
    keep = (first < second) & (apart >= (distance - 1) * u.arcmin)
    first, second = first[keep][::one_in], second[keep][::one_in]
    seen = stars[["object", "visit", "ra", "dec"]]
    spreads, step = [], max(1, 4 * MEGA * len(mean) // len(stars))
    for start in range(0, len(first), step):
        pairs = pd.DataFrame(
            {"one": mean.index[first[start : start + step]], "object": mean.index[second[start : start + step]]}
        )
        pairs["pair"] = np.arange(len(pairs))
        both = pairs.merge(seen.rename(columns={"object": "one"}), on="one").merge(
            seen, on=["object", "visit"], suffixes=("", "_two")
        )
        lon, lat, lon_two, lat_two = (np.radians(both[name].to_numpy()) for name in ("ra", "dec", "ra_two", "dec_two"))
        both["apart"] = angular_separation(lon, lat, lon_two, lat_two)
        spreads.append(both.groupby("pair")["apart"].std().dropna())
    spread = pd.concat(spreads)
    return float(np.degrees(spread.median()) / MAS_DEG), len(spread)


def _cpu() -> float:
    return time.process_time()


def _differences(times: dict[str, float]) -> dict[str, float]:
    ends = list(times.values())
    return {name: end - begin for name, begin, end in zip(times, [0.0, *ends], ends, strict=False)}


def fresh(*arguments: str) -> dict[str, Any]:
    """Run this file anew with `arguments` and return what it prints, with CPU seconds and peak memory in GB."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run([sys.executable, __file__, *arguments], check=True, capture_output=True, text=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    total = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return {"total": total, **json.loads(done.stdout.splitlines()[-1])}


def row(who: str, sources: int, run: dict[str, Any]) -> str:
    """Return a row of the table."""
    cpu = run["cpu"]
    parts = " ".join(f"{cpu[name]:7.2f}" for name in ("read", *NAMES))
    return f"{who:5} {sources / MEGA:6.1f} {parts} {four(run):8.2f} {run['total']:8.2f} {run['rss']:6.2f}"


def four(run: dict[str, Any]) -> float:
    """Return the CPU seconds of the four metrics."""
    return sum(run["cpu"][name] for name in NAMES)


def compare(mine: dict[str, Any], other: dict[str, Any], one_in: int) -> None:
    """Check that both measure the same, and print the values.

    All digits agree when both measure all pairs; shares of the pairs agree within five standard errors.
    """
    for name in NAMES:
        value, n, stderr = mine["values"][name]
        theirs, their_n = other["values"][name]
        print(f"  {name}: {value:.6f} +- {stderr:.6f} from {n}; peer {theirs:.6f} from {their_n}")
        if name.startswith("P") or (one_in == 1 and n == their_n):
            assert n == their_n, name
            assert abs(value - theirs) <= 1e-6 * value, name
        else:
            assert abs(value - theirs) <= 5 * stderr, name


def beside(path: Path, sources: int, mine: dict[str, Any], one_in: int) -> None:
    """Run the peer, print its row and by how much it is slower, and compare the values."""
    other = fresh("--one-in", str(one_in), "--child", "peer", str(path))
    for name in ("AM1", "AM2"):
        other["cpu"][name] *= one_in
    print(row("peer", sources, other))
    scaled = "" if one_in == 1 else f" (its pairs: one in {one_in}, scaled up)"
    print(f"  the peer takes {four(other) / four(mine):.1f} times the CPU for the four metrics{scaled}")
    compare(mine, other, one_in)


def options() -> argparse.Namespace:
    """Return what is asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sources", type=int, nargs="+", default=[n * MEGA for n in (1, 2, 5, 10)])
    parser.add_argument("--objects", type=int, default=OBJECTS, help="more in the same field are more pairs")
    parser.add_argument("--peer", type=int, nargs="*", default=[MEGA, 10 * MEGA], help="sizes at which it runs, too")
    parser.add_argument("--one-in", type=int, default=1, help="share of its pairs that the peer measures")
    parser.add_argument("--cache", type=Path, default=Path(tempfile.gettempdir()))
    parser.add_argument("--child", nargs=2, metavar=("WHO", "FILE"), help=argparse.SUPPRESS)
    return parser.parse_args()


def child(asked: argparse.Namespace) -> None:
    """Measure in this process and print what came out as JSON."""
    who, path = asked.child
    run = ours(Path(path)) if who == "ours" else peer(Path(path), one_in=asked.one_in)
    run["rss"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2
    print(json.dumps(run))


def main() -> None:
    """Draw, measure and print the table."""
    asked = options()
    if asked.child:
        child(asked)
        return
    asked.cache.mkdir(parents=True, exist_ok=True)
    path = asked.cache / "obsqa-catalogue-warm.parquet"
    draw(path, sources=MEGA // 2)
    fresh("--child", "ours", str(path))  # The loops are compiled once on a machine.
    print("CPU seconds; memory in GB is the peak of the process, that of pyarrow, pandas and the table included.")
    print("who    Msrc    read " + " ".join(f"{name:>7}" for name in NAMES) + "     four    total     GB")
    before: tuple[int, float] | None = None
    for sources in sorted({*asked.sources, *asked.peer}):
        path = asked.cache / f"obsqa-catalogue-{asked.objects}-{sources}.parquet"
        if not path.exists():
            draw(path, sources=sources, objects=asked.objects)
        mine = fresh("--child", "ours", str(path))
        print(row("ours", sources, mine), flush=True)
        if before:
            each = MEGA * (four(mine) - before[1]) / (sources - before[0])
            print(f"  each further million takes {each:.2f} s; {mine['visits']} visits")
        before = sources, four(mine)
        if sources in asked.peer:
            beside(path, sources, mine, asked.one_in)


if __name__ == "__main__":
    main()

"""Both chains on the same pixels: `python -m benchmarks.peer [--seeds 1,2,3] [--scaling] [--json FILE]`."""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.peer import astromatic, psf, quality, scaling
from benchmarks.peer.data import prepare
from benchmarks.peer.night import open_night
from benchmarks.peer.process import Cost, StepError, ours, require_programs
from benchmarks.peer.table import rows

if TYPE_CHECKING:
    from benchmarks.peer.night import Night

SIDE = 2048


def say(text: str) -> None:
    """Tell how far we are."""
    print(text, file=sys.stderr, flush=True)


def cost_of_ours(night: Night) -> dict[str, Cost]:
    """Run our chain; `psf` is the part of its steps spent on PSF models and PSF photometry."""
    costs = {}
    for step in ("detect", "calibrate", "coadd", "measure"):
        costs[step] = ours(step, night.folder)
        say(f"  ours {step}: {costs[step].cpu:.1f} s CPU, {costs[step].peak:.0f} MiB")
    spent = {step: json.loads((night.folder / f"psf-{step}.json").read_text())["seconds"] for step in costs}
    for step, seconds in spent.items():
        costs[step] = Cost(costs[step].cpu - seconds, costs[step].wall, costs[step].peak)
    return costs | {"psf": Cost(cpu=sum(spent.values()))}


def cost_of_peer(night: Night) -> dict[str, Cost]:
    """Run the peer's chain; `psf` is PSFEx, and what stamps in its catalogues cost source-extractor."""
    astromatic.write_inputs(night)
    costs = {}
    steps = {
        "detect": astromatic.detect,
        "calibrate": astromatic.calibrate,
        "coadd": astromatic.coadd,
        "measure": lambda night: astromatic.measure(night, significance=quality.PEER_DEFAULT),
    }
    for step, call in steps.items():
        costs[step] = call(night)
        say(f"  peer {step}: {costs[step].cpu:.1f} s CPU, {costs[step].peak:.0f} MiB")
    stamps, models = astromatic.detect(night, stamps=True), astromatic.model_psf(night)
    extra = max(stamps.cpu - costs["detect"].cpu, 0.0)
    say(f"  peer psf: {models.cpu:.1f} + {extra:.1f} s CPU, {models.peak:.0f} MiB")
    return costs | {"psf": Cost(models.cpu + extra, models.wall, models.peak)}


def one_seed(night: Night) -> dict[str, Any]:
    """Costs and quality of both chains on one set."""
    costs = {"ours": cost_of_ours(night), "peer": cost_of_peer(night)}
    for significance in quality.SIGNIFICANCES["ours"]:
        ours("measure", night.folder, "--significance", str(significance))
    for significance in quality.SIGNIFICANCES["peer"]:
        astromatic.measure(night, significance=significance)
    found = quality.compare(night)
    for chain, residuals in psf.compare(night).items():
        found[chain] |= residuals
    for chain in costs.values():
        chain["total"] = sum((chain[step] for step in ("detect", "calibrate", "coadd", "measure")), Cost())
        chain["total_psf"] = chain["total"] + chain["psf"]
    parts = {
        part: {chain: {step: getattr(cost, part) for step, cost in all_.items()} for chain, all_ in costs.items()}
        for part in ("cpu", "wall", "peak")
    }
    return parts | {"quality": found, "megapixels": night.megapixels}


def main() -> None:
    """Run everything and print the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.peer", description=__doc__)
    parser.add_argument("--seeds", default="1,2,3", help="comma-separated; each is another sky")
    parser.add_argument("--visits", type=int, default=8)
    parser.add_argument("--detectors", type=int, default=4)
    parser.add_argument("--side", type=int, default=SIDE, help="of a detector, in pixels")
    parser.add_argument("--keep", type=Path, help="folder to keep the files of all steps in")
    parser.add_argument("--json", type=Path, help="file to write all numbers to")
    parser.add_argument("--scaling", action="store_true", help="only our chain, at 8 to 64 visits")
    options = parser.parse_args()
    try:
        with tempfile.TemporaryDirectory() as scratch:
            benchmark(options, (options.keep or Path(scratch)).resolve())
    except StepError as error:
        sys.exit(str(error))


def benchmark(options: argparse.Namespace, folder: Path) -> None:
    """Run what the options ask for."""
    from ci.settings import Settings  # the place of the cache is the application's

    cache = Settings.from_environment().cache
    folder.mkdir(parents=True, exist_ok=True)
    ours("warm", folder)
    if options.scaling:
        result: Any = scaling.measure(folder, cache, side=options.side)
        lines = scaling.rows(result)
    else:
        require_programs()
        result = []
        for seed in map(int, options.seeds.split(",")):
            place = folder / f"{seed}-{options.visits}x{options.detectors}x{options.side}"
            sizes = {"visits": options.visits, "detectors": options.detectors, "side": options.side}
            prepare(place, cache, seed=seed, **sizes)
            say(f"seed {seed}")
            result.append(one_seed(open_night(place)))
        lines = rows(result)
    print("\n".join(lines))
    if options.json:
        options.json.write_text(json.dumps(result, indent=1, sort_keys=True))


if __name__ == "__main__":
    main()

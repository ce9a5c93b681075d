"""Small metrics packages of lsst.verify, made up for tests."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

METRICS = """\
PA1:
  description: repeatability
  unit: mmag
  reference: {doc: "LPM-17 v5.2.3, Table 14", url: https://ls.st/lpm-17}
  tags: photometry
AM1:
  description: scatter of separations
  unit: marcsec
  reference: {doc: "LPM-17 v5.2.3, Table 18", url: https://ls.st/lpm-17}
  tags: [astrometry]
"""

SPECS = """\
---
id: base
metric: PA1
tags: [chromatic]
threshold: {unit: mmag, operator: "<="}
---
name: minimum_gri
base: "#base"
threshold: {value: 8.0}
tags: [minimum]
---
name: design_gri
base: "#base"
threshold: {value: 5.0}
---
name: stretch_gri
base: "#base"
threshold: {value: 3.0}
---
name: FY17_gri
base: "#base"
threshold: {value: 8.0}
---
name: ORR_gri
base: "#base"
threshold: {value: 5.0}
"""

PAIRS = """\
---
id: base
metric: AM1
threshold: {unit: marcsec, operator: "<="}
metadata_query: {filter_name: r}
---
name: minimum
base: "#base"
threshold: {value: 20.0}
---
name: design
base: "#base"
threshold: {value: 10.0}
---
name: stretch
base: "#base"
threshold: {value: 5.0}
"""

CAMERA = """\
---
id: cam-g
metadata_query: {instrument: CAM, filter_name: g}
---
name: ORR_cam_g
base: [PA1.ORR_gri, "#cam-g"]
---
name: cam_design_g
base: [PA1.design_gri, "#cam-g"]
"""


@pytest.fixture
def made_up(tmp_path: Path) -> Callable[..., Path]:
    """Return a function that writes a sound package, with some texts of its files replaced or added."""

    def write(replaced: dict[str, tuple[str, str]] | None = None, **added: str) -> Path:
        files = {
            "metrics/drp.yaml": METRICS,
            "specs/drp/LPM-17-PA1.yaml": SPECS,
            "specs/drp/LPM-17-AM1.yaml": PAIRS,
            "specs/drp/cam/release.yaml": CAMERA,
        } | {f"specs/drp/{name}.yaml": text for name, text in added.items()}
        for name, (old, new) in (replaced or {}).items():
            assert old in files[name], f"{old!r} is not in {name}"
            files[name] = files[name].replace(old, new)
        for name, text in files.items():
            path = tmp_path / "package" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        return tmp_path / "package"

    return write

"""Make `cexwatch` of the virtual environment run this checkout, as an editable install would, without a build."""

import sys
import sysconfig
from pathlib import Path

root = Path(__file__).resolve().parent.parent
site = Path(sysconfig.get_path("purelib"))
(site / "cexwatch.pth").write_text(f"{root}\n")
script = Path(sysconfig.get_path("scripts")) / "cexwatch"
script.write_text(f"#!{sys.executable}\nfrom monitor.__main__ import main\n\nmain()\n")
script.chmod(0o755)

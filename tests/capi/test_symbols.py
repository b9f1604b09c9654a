"""What libinlay_c exports is inlay_* alone, equals the baseline, and is what inlay.h declares and the Python binding knows.

A change on purpose: `nm -D --defined-only build/release/lib/libinlay_c.so | awk '{print $3}' | sort > capi/abi/inlay_c.symbols`.
"""

import os
import pathlib
import re
import subprocess
import sys
import unittest

source = pathlib.Path(os.environ["INLAY_SOURCE"])
library = os.environ["INLAY_LIBRARY"]


def exported() -> list[str]:
    lines = subprocess.run(["nm", "-D", "--defined-only", library], check=True, capture_output=True, text=True).stdout.splitlines()
    return sorted(line.split()[2].split("@")[0] for line in lines)


class Symbols(unittest.TestCase):
    maxDiff = None

    def test_exports_equal_the_baseline(self):
        self.assertEqual(exported(), (source / "capi/abi/inlay_c.symbols").read_text().split())

    def test_only_inlay_functions_are_exported(self):
        self.assertEqual([name for name in exported() if not name.startswith("inlay_")], [])

    def test_the_header_declares_what_is_exported(self):
        header = re.sub(r"//.*", "", (source / "capi/include/inlay.h").read_text())
        declared = re.findall(r"INLAY_API [\w \*]*?\b(inlay_\w+)\(", header)
        self.assertEqual(sorted(declared), exported())

    def test_the_python_binding_knows_every_function(self):
        import inlay._binding

        self.assertEqual(sorted(inlay._binding.FUNCTIONS), exported())

    def test_the_soname_is_the_abi_version(self):
        header = (source / "capi/include/inlay.h").read_text()
        abi = re.search(r"#define INLAY_ABI_VERSION (\d+)", header)[1]
        dynamic = subprocess.run(["readelf", "-d", library], check=True, capture_output=True, text=True).stdout
        self.assertIn(f"soname: [libinlay_c.so.{abi}]", dynamic)


if __name__ == "__main__":
    if sys.platform != "linux":
        print("skipped: reads ELF files")
        sys.exit(77)
    unittest.main()

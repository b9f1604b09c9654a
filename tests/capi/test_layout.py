"""Every struct of the Python binding has the size and the offsets that a C compiler gives the one in inlay.h; the header's sample compiles.

    test_layout.py C_COMPILER
"""

import ctypes
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest

from inlay import _binding
import inlay

source = pathlib.Path(os.environ["INLAY_SOURCE"])
header = (source / "capi/include/inlay.h").read_text()
compiler = sys.argv[1]

structs = {
    name: kind
    for name, kind in vars(_binding).items()
    if isinstance(kind, type) and issubclass(kind, ctypes.Structure) and kind is not _binding.SizedStructure
}


class Layout(unittest.TestCase):
    maxDiff = None

    def test_every_struct_of_the_header_is_bound(self):
        self.assertEqual(sorted(structs), sorted(re.findall(r"^typedef struct (\w+) \{", header, re.M)))

    def test_sizes_and_offsets_are_the_compilers(self):
        expected, lines = {}, []
        for name, kind in structs.items():
            expected[name] = (ctypes.sizeof(kind), ctypes.alignment(kind))
            lines.append(f'struct align_{name} {{ char first; {name} value; }};')
            lines.append(f'void print_{name}(void) {{ printf("{name} %zu %zu\\n", sizeof({name}), offsetof(struct align_{name}, value));')
            for field, _ in kind._fields_:
                descriptor = getattr(kind, field)
                expected[f"{name}.{field}"] = (descriptor.size, descriptor.offset)
                lines.append(f'printf("{name}.{field} %zu %zu\\n", sizeof((({name} *)0)->{field}), offsetof({name}, {field}));')
            lines.append("}")
        main = "".join(f"print_{name}();" for name in structs)
        program = "#include <inlay.h>\n#include <stdio.h>\n" + "\n".join(lines) + f"\nint main(void) {{ {main} return 0; }}\n"
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / "layout.c"
            path.write_text(program)
            executable = str(path.with_suffix(""))
            subprocess.run([compiler, "-std=c99", f"-I{source}/capi/include", str(path), "-o", executable], check=True)
            output = subprocess.run([executable], check=True, capture_output=True, text=True).stdout
        compiled = {line.split()[0]: tuple(map(int, line.split()[1:])) for line in output.splitlines()}
        self.assertEqual(expected, compiled)

    def test_the_headers_sample_compiles(self):
        sample = header[header.index("//   #include <inlay.h>") : header.index("// The rules")]
        program = "\n".join(line.removeprefix("//").removeprefix("   ") for line in sample.splitlines()) + "\n"
        strict = ["-std=c99", "-Wall", "-Wextra", "-pedantic", "-Werror", "-fsyntax-only"]
        subprocess.run([compiler, *strict, f"-I{source}/capi/include", "-x", "c", "-"], input=program, text=True, check=True)

    def test_numbers_are_the_headers(self):
        constants = {name: int(value) for name, value in re.findall(r"\b(INLAY_\w+) = (\d+)", header)}
        for prefix, enumeration in (("INLAY_", inlay.Status), ("INLAY_QUERY_", inlay.QueryType), ("INLAY_LOG_", inlay.LogLevel)):
            for member in enumeration:
                self.assertEqual(constants.pop(prefix + member.name), member.value)
        self.assertEqual(constants, {"INLAY_ACTION_CONTINUE": _binding.ACTION_CONTINUE, "INLAY_ACTION_CANCEL": _binding.ACTION_CANCEL})


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])

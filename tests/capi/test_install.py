"""The installed package: a project of its own finds, builds and runs with both libraries, with the C one alone, and through pkg-config.

    test_install.py CMAKE C_COMPILER CXX_COMPILER TORCH_DIR
"""

import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

cmake, c_compiler, cxx_compiler, torch_dir = sys.argv[1:5]
source = pathlib.Path(os.environ["INLAY_SOURCE"])
build = os.environ["INLAY_BUILD"]
model = os.environ.get("INLAY_MODEL", "")


def run(*command: str, **environment: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, **environment})
    if done.returncode != 0:
        raise AssertionError(f"{command} gave {done.returncode}\n{done.stdout}\n{done.stderr}")
    return done.stdout


class Install(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(cls.folder.cleanup)
        cls.root = pathlib.Path(cls.folder.name)
        cls.prefix = cls.root / "prefix"
        run(cmake, "--install", build, "--prefix", str(cls.prefix))

    def build_consumer(self, name: str, *options: str) -> pathlib.Path:
        folder = self.root / name
        run(
            cmake, "-S", str(source / "tests/capi/install"), "-B", str(folder), "-DCMAKE_BUILD_TYPE=Release", f"-DCMAKE_PREFIX_PATH={self.prefix}",
            f"-DCMAKE_C_COMPILER={c_compiler}", f"-DCMAKE_CXX_COMPILER={cxx_compiler}", *options,
        )  # fmt: skip
        run(cmake, "--build", str(folder))
        return folder

    def check(self, program: pathlib.Path):
        self.assertEqual(run(str(program)).strip(), "0.1.0")
        if not model:
            return ""
        return run(str(program), model).split()[1]

    def test_cpp_and_c(self):
        folder = self.build_consumer("both", f"-DTorch_DIR={torch_dir}")
        # Two ways to the same vector, computed in one batch of one.
        self.assertEqual(self.check(folder / "consumer_cpp"), self.check(folder / "consumer_c"))

    def test_c_alone_needs_no_libtorch(self):
        folder = self.build_consumer("c", "-DONLY_C=ON", "-DCMAKE_DISABLE_FIND_PACKAGE_Torch=ON")
        self.check(folder / "consumer_c")

    def test_every_public_header_is_installed(self):
        expected = sorted(path.name for path in (source / "include/inlay").glob("*.hpp"))
        self.assertEqual(sorted(path.name for path in (self.prefix / "include/inlay").iterdir()), expected)
        self.assertEqual((self.prefix / "include/inlay.h").read_bytes(), (source / "capi/include/inlay.h").read_bytes())

    @unittest.skipUnless(shutil.which("pkg-config"), "pkg-config is not installed")
    def test_pkg_config(self):
        (found,) = self.prefix.rglob("inlay.pc")
        flags = run("pkg-config", "--cflags", "--libs", "inlay", PKG_CONFIG_PATH=str(found.parent)).split()
        program = self.root / "pkg_config_consumer"
        library = next(flag[2:] for flag in flags if flag.startswith("-L"))
        run(c_compiler, str(source / "tests/capi/install/consumer.c"), *flags, f"-Wl,-rpath,{library}", "-o", str(program))
        self.check(program)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
